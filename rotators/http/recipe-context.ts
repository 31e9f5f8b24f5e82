import type { Recipes } from './recipe-book.ts';
import type { Transport } from './transport.ts';

/** The parts that all acts of the rotator share. */
export interface RecipeContext {
  readonly recipes: Recipes;
  readonly transport: Transport;
  /** Pause between two trials of one credential, in milliseconds. */
  readonly trialPauseMs: number;
  /** Time for which a run of a step may go on after it began, in milliseconds. */
  readonly runLivesMs: number;
}
