import { pauseTag } from './names.ts';

/**
 * Until when the rotations of a secret are paused; undefined where they are not, or no longer. A tag that holds no time pauses
 * nothing: a brake that nobody can read must not be one for ever.
 */
export function pausedUntil(tags: Readonly<Record<string, string>>, now: Date): Date | undefined {
  const until = new Date(tags[pauseTag] ?? '');
  return until.getTime() > now.getTime() ? until : undefined;
}
