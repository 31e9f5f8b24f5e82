import { expect, test } from '@jest/globals';
import { pausedUntil } from '../../core/deployed/pause.ts';

const now = new Date('2026-03-01T12:00:00.000Z');

/**
 * docs/cli.md: a pause ends by itself, "after 30 days at the most". Only the command counts the days: whoever may set the tag,
 * as every operator, writes any year into it, without a record, and the secret rotates never again.
 */
test.each(['2027-03-01T12:00:00.000Z', '9999-12-31', '+275760-09-13T00:00:00Z'])(
  'a tag that says %s does not pause a secret beyond 30 days',
  (text) => {
    const until = pausedUntil({ 'rekey:paused-until': text }, now);
    expect(until === undefined || until.getTime() - now.getTime() <= 30 * 86_400_000).toBe(true);
  },
);
