import { identityOf } from '../config/shards/identity.ts';
import type { RotatedSecret } from '../secret/rotated-secret.ts';

/** First rotations that may start at once. */
const lanes = 10;

/**
 * Has first rotations start in ten rows, one behind the other. So a new stack does not start all in the same second.
 *
 * Row and place follow from the secret's name. A secret that comes or goes changes what one other waits for, and CloudFormation
 * updates no resource for that.
 */
export function spreadFirstRotations(secrets: Iterable<RotatedSecret>): void {
  const rows = new Map<number, RotatedSecret>();
  const placed = [...secrets]
    .filter(({ rotatesOnDeploy }) => rotatesOnDeploy)
    .map((secret) => ({ secret, place: identityOf(secret.secretName) }))
    .toSorted((one, other) => (one.place < other.place ? -1 : 1));
  for (const { secret, place } of placed) {
    const row = Number.parseInt(place.slice(-8), 16) % lanes;
    const before = rows.get(row);
    if (before !== undefined) {
      secret.rotateBehind(before);
    }
    rows.set(row, secret);
  }
}
