import { type Person, personOf } from '../../core/approval/person.ts';
import { bindingOf, type Deed, headersOf, type IdentityProof } from '../../core/approval/proof.ts';
import type { Identities, PermittedRoles } from '../../core/approval/store.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { Clock } from '../../core/ports.ts';

export interface IdentifyDependencies {
  readonly identities: Identities;
  readonly roles: PermittedRoles;
  readonly place: { readonly environment: string; readonly account: string; readonly region: string };
  readonly clock: Clock;
}

/**
 * Finds out who signed a proof for this very deed, and requires a role that permits it. Whoever may invoke
 * the function brings the proof; who signed it is what counts, so a role that may invoke everything answers nothing.
 *
 * @throws RekeyError `IdentityUnproven` | `PersonUnnamed` | `PersonNotPermitted`
 */
export async function identify(
  proof: IdentityProof,
  deed: Deed,
  { identities, roles, place, clock }: IdentifyDependencies,
): Promise<Person> {
  const headers = headersOf(proof, {
    binding: bindingOf(place, deed),
    region: place.region,
    now: clock.now(),
  });
  const person = personOf(await identities.whoSigned(headers));
  const permitted = person.account === place.account ? await roles.list(deed.act) : [];
  if (!permitted.some((arn) => person.role !== undefined && isRole(arn, person.account, person.role))) {
    throw new RekeyError(
      'PersonNotPermitted',
      `${person.arn} may not ${deed.act === 'ask' ? 'ask for what needs approval' : 'answer requests for approval'} in ${place.environment}; sessions of these roles may: ${permitted.join(', ') || 'none'}`,
    );
  }
  return person;
}

/** Tells whether an ARN is of a role by its name, which is unique in an account. Sessions do not show its path. */
const isRole = (arn: string, account: string, role: string): boolean =>
  arn.split(':')[4] === account && arn.split('/').at(-1) === role;
