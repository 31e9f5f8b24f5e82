import type { TargetContext } from '../../core/rotator.ts';
import type { Authority } from './authority.ts';
import type { Recipe } from './recipe.ts';
import type { Credential } from './schema.ts';

const dayMs = 86_400_000;
/** Days before its end at which an admin credential is a finding at the latest. */
const leastDays = 30;
/** Form of the names that Rekey gives, which end with the time. */
const madeAt = /^rekey-.*-(\d{12,14})$/;

/** Says why the credential of an admin secret may be refused: it has ended, or what ends it. Empty where that is unknown. */
export function endOfAdmin({ expiresAt }: Pick<Authority, 'expiresAt'>, { admin }: Recipe): string {
  if (expiresAt !== undefined && expiresAt.getTime() < Date.now()) return `; it ended on ${dayOf(expiresAt)}`;
  return admin.ends === undefined ? '' : `; it ends ${admin.ends}`;
}

const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

/**
 * Announces that the credential of the admin secret ends too soon. That is before the credential that it is about to make, or
 * before as much time has passed again as lies between the last rotation and this one.
 */
export function noteExpiry(
  current: Credential,
  { expiresAt }: Authority,
  context: Pick<TargetContext, 'finding'>,
): void {
  if (expiresAt === undefined) return;
  const now = Date.now();
  const days = current.parameters.get('days');
  const made = madeAt.exec(current.secret.createdAs ?? '')?.[1];
  const neededMs = Math.max(
    leastDays * dayMs,
    typeof days === 'number' ? days * dayMs : 0,
    made === undefined ? 0 : now - Number(made),
  );
  if (expiresAt.getTime() >= now + neededMs) return;
  const verb = expiresAt.getTime() < now ? 'ended' : 'ends';
  context.finding({
    code: 'AdminCredentialEnds',
    message: `the credential of the admin secret ${verb} on ${dayOf(expiresAt)}, and ${current.name} cannot be rotated or revoked without it; put another and its expiresAt into the admin secret`,
  });
}
