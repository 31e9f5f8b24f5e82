import type { Prober } from '../../core/preflight/ports.ts';

/** Makes what tries credentials at their targets, from here. Drivers are loaded when the first one is tried. */
export const proberWith =
  (certificateAuthorities: readonly string[] | undefined): Prober =>
  async (value, type) => {
    const { tryCredential } = await import('../../rotators/probes.ts');
    const result = await tryCredential(
      value,
      type,
      certificateAuthorities === undefined ? {} : { certificateAuthorities },
    );
    switch (result.outcome) {
      case 'accepted':
        return result;
      case 'unverifiable':
        return { outcome: 'unproven', message: result.note };
      case 'rejected':
        return { outcome: 'rejected', message: result.error.message };
      default:
        // The user has no connection left: the password was right.
        return result.passwordAccepted === true
          ? { outcome: 'accepted' }
          : { outcome: 'unproven', message: `${result.error.code}: ${result.error.message}` };
    }
  };
