import type { LocalDeployment } from '../deployment.ts';

/** One thing that was shown, in a few words and figures. */
export interface Shown {
  readonly what: string;
  readonly result: string;
}

/**
 * A part of the tour. It throws if anything that it shows does not hold, so whatever it returns was checked.
 * @param note - prints a line of detail
 */
export type Act = (deployment: LocalDeployment, note: (text: string) => void) => Promise<readonly Shown[]>;

export const milliseconds = (ms: number): string => `${Math.round(ms)} ms`;
