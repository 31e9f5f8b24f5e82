import { systemClock, systemRandom } from '../../adapters/system.ts';
import type { EventOrigin } from '../../core/events/create.ts';
import type { Tools } from '../tools.ts';

/** Gives what all events of a function share: its part of Rekey, its environment, and its name as the actor. */
export const originOf = (
  source: EventOrigin['source'],
  { REKEY_ENVIRONMENT }: { readonly REKEY_ENVIRONMENT: string },
  { functionName }: Pick<Tools, 'functionName'>,
): EventOrigin => ({
  source,
  environment: REKEY_ENVIRONMENT,
  actor: `lambda:${functionName}`,
  clock: systemClock,
  random: systemRandom,
});
