import type { Recipes } from './recipe-book.ts';
import type { Transport } from './transport.ts';

/** What all acts of the rotator work with. */
export interface Kit {
  readonly recipes: Recipes;
  readonly transport: Transport;
  /** Between two trials of one credential, in milliseconds. */
  readonly trialPauseMs: number;
  /** For how long a run of a step may go on after it began, in milliseconds. */
  readonly runLivesMs: number;
}
