import { type BrakeStore, release } from '../core/brake.ts';
import { RekeyError } from '../core/errors/rekey-error.ts';
import type { Brakes, KnownBrake } from '../core/operator-ports.ts';
import type { SecretDefinition } from '../core/secret/definition.ts';

/** The engaged brake of one rotation function, with the secrets that it concerns. */
export interface EngagedBrake extends KnownBrake {
  readonly since: string;
  readonly secrets: readonly SecretDefinition[];
}

const functionNameOf = (arn: string): string => arn.split(':')[6] ?? arn;

/** Lists the brakes that are engaged, of the functions that rotate these secrets. */
export async function engagedBrakes(
  brakes: Brakes,
  definitions: readonly SecretDefinition[],
): Promise<readonly EngagedBrake[]> {
  return (await brakes.list()).flatMap((brake) => {
    const { brakedAt: since, functionName } = brake.state;
    const secrets = definitions.filter(
      ({ rotationFunction }) => functionNameOf(rotationFunction) === functionName,
    );
    return since === undefined || secrets.length === 0 ? [] : [{ ...brake, since, secrets }];
  });
}

/** Times that a release is tried, since a function may be faster. */
const mostRaces = 10;

/** Releases a brake; does nothing where it is already released. */
export async function releaseBrake(store: BrakeStore): Promise<void> {
  for (let race = 0; race < mostRaces; race += 1) {
    const { version, state } = await store.read();
    if (state?.brakedAt === undefined || (await store.replace(version, release(state)))) return;
  }
  throw new RekeyError('ResourceBusy', 'the state of the brake changed each time; run the command again');
}
