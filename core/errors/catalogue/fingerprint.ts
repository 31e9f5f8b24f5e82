import type { Entries } from './entry.ts';

/** Errors of the index of fingerprints, and of lookups in it. */
export const fingerprint: Entries<'fingerprint'> = {
  LookupMalformed: {
    meaning: 'The request to the lookup function is of a wrong form; nothing was looked up.',
    mender: 'caller',
    remedy: 'Send 1 to 100 SHA-256 in small hexadecimal digits, as `rekey whose` does.',
  },
  LookupsExhausted: {
    meaning:
      'As many candidates were looked up as the environment allows within a minute or an hour, by whoever asked.',
    mender: 'nobody, it passes',
    remedy:
      'Wait as long as the message says. If it was not you, see the runbook fingerprint-lookups-refused.',
  },
  FingerprintsIncomplete: {
    meaning: 'Some secrets could not be brought into the index of fingerprints; the others are in it.',
    mender: 'nobody, it passes',
    remedy: 'The next sweep tries them again. If it stays, the log of the function names them and says why.',
  },
  FingerprintsDelayed: {
    meaning: 'A sweep of the index ran out of time; what it did stays done.',
    mender: 'nobody, it passes',
    remedy: 'The next sweep goes on.',
  },
  FingerprintsOff: {
    meaning: 'The environment keeps no fingerprints, so no value can be looked up.',
    mender: 'operator',
    remedy: 'Set `fingerprints: true` in the configuration of the environment, and deploy.',
  },
};
