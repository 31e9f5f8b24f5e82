import { pauseTag } from './names.ts';

/** The longest pause, in milliseconds: 30 days. */
export const longestPauseMs = 30 * 24 * 3_600_000;
/** Difference that is allowed between the clocks of those who set a pause and of the functions. */
const skewMs = 3_600_000;

/**
 * Says until when the rotations of a secret are paused; undefined where they go on. A tag pauses nothing if it holds no time,
 * or one that lies further ahead than the longest pause: whoever may set the tag would end the rotations for good.
 */
export function pausedUntil(tags: Readonly<Record<string, string>>, now: Date): Date | undefined {
  const until = new Date(tags[pauseTag] ?? '');
  const leftMs = until.getTime() - now.getTime();
  return leftMs > 0 && leftMs <= longestPauseMs + skewMs ? until : undefined;
}
