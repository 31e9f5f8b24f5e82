import { stages } from '../secret/secret.ts';
import type { Match } from './lookup.ts';

/**
 * Answer to whether a value still opens anything. `perhaps`: the target may accept it, and only a trial tells. None of them
 * is a proof; that is the work of a revocation.
 */
export type Alive = 'yes' | 'perhaps' | 'no';

/** Labels, type and history of a version, as far as they tell whether it works. */
type Standing = Pick<Match, 'labels' | 'goneBy'> & {
  /** True if nothing that Rekey reaches refuses credentials of the type. */
  readonly unverifiable: boolean;
};

/**
 * Tells from the labels of a version whether its value may still be accepted.
 *
 * A pending value may have been set at the target, and the one before the current one may go on working: for the other user
 * of two that take turns, during an overlap, or because somebody moved the labels by hand. Where Rekey can reach nothing that
 * refuses a value, an old one is never called dead.
 */
export function aliveBy({ labels, goneBy, unverifiable }: Standing): Alive {
  if (goneBy !== undefined) return 'perhaps';
  if (labels.includes(stages.current)) return 'yes';
  return labels.length > 0 || unverifiable ? 'perhaps' : 'no';
}
