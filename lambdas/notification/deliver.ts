import { RekeyError } from '../../core/errors/rekey-error.ts';
import { admission } from '../../core/notification/bounds.ts';
import { heldOf } from '../../core/notification/digest.ts';
import type { Notice } from '../../core/notification/notice.ts';
import type { Deed } from '../../core/notification/vendors/vendor.ts';
import type { NotifierContext } from './context.ts';
import { ChannelPaused, send } from './send.ts';

/** The end of a delivery: sent now, kept for a digest, or done before. */
export type Delivery = 'sent' | 'held' | 'done';

/** The time between two attempts of a message that another call has claimed. */
const claimedWaitMs = 60_000;

/**
 * Brings a message to a channel, or holds it back for a digest. Events come more than once: what was sent or held before is left
 * as it is. A function that dies between the answer of the receiver and its note sends once more, rather than never.
 * @param bounded - false for what must go out whatever the bounds: a digest, or the end of an alert
 */
export async function deliver(
  name: string,
  notice: Notice,
  { deed, bounded }: { readonly deed: Deed; readonly bounded: boolean },
  context: NotifierContext,
): Promise<Delivery> {
  const { memory, clock } = context;
  const id = `${notice.id} ${deed}`;
  const claim = await memory.claim(name, id, clock.now());
  if (claim === 'done') return 'done';
  if (claim === 'taken') {
    throw new ChannelPaused(
      'ChannelUnavailable',
      `channel ${name}: another call is sending this message; it is looked at again`,
      claimedWaitMs,
    );
  }
  try {
    const hold = bounded ? await heldUntil(name, notice, id, context) : undefined;
    if (hold !== undefined) {
      await memory.hold(name, { ...heldOf(notice), id }, hold, clock.now());
      return 'held';
    }
    await requireOpen(name, context);
    await send(name, notice, deed, context);
  } catch (error) {
    await memory.unclaim(name, id);
    if (error instanceof ChannelPaused && error.waitMs > 0) {
      await memory.pause(name, new Date(clock.now().getTime() + error.waitMs));
    }
    throw error;
  }
  await memory.sent(name, id, clock.now());
  return 'sent';
}

/** Finds out until when a message must wait. @returns undefined when it goes out now */
async function heldUntil(
  name: string,
  notice: Notice,
  id: string,
  { memory, settings, clock }: NotifierContext,
): Promise<Date | undefined> {
  const answer = admission(notice, settings, clock.now());
  if ('hold' in answer) return answer.hold;
  for (const { name: bucket, limit, until } of answer.buckets) {
    if (!(await memory.take(`${name} ${bucket}`, id, limit, until))) return answer.otherwise;
  }
  return undefined;
}

/** Refuses to send while a receiver has asked to be left alone. */
async function requireOpen(name: string, { memory, clock }: NotifierContext): Promise<void> {
  const until = await memory.pausedUntil(name);
  const waitMs = (until?.getTime() ?? 0) - clock.now().getTime();
  if (waitMs > 0) throw new StillPaused(name, waitMs);
}

/** The error of a receiver that is left alone. It is no new request of the receiver, so it makes the pause no longer. */
class StillPaused extends RekeyError<'ChannelThrottled'> {
  readonly waitMs: number;

  constructor(name: string, waitMs: number) {
    super(
      'ChannelThrottled',
      `channel ${name}: the receiver wants nothing for ${Math.ceil(waitMs / 1_000)} s`,
    );
    this.waitMs = waitMs;
  }
}
