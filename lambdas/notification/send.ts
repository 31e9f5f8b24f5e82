import { RekeyError } from '../../core/errors/rekey-error.ts';
import { mailOf } from '../../core/notification/mail.ts';
import type { Notice } from '../../core/notification/notice.ts';
import { type Channel, isAllowedHost } from '../../core/notification/settings.ts';
import { type Receiver, receivers } from '../../core/notification/vendors/index.ts';
import { type Deed, type ReceiverAnswer, retryAfterMs } from '../../core/notification/vendors/vendor.ts';
import type { NotifierContext } from './context.ts';

/** A receiver that wants nothing for a while. */
export class ChannelPaused extends RekeyError<'ChannelThrottled' | 'ChannelUnavailable'> {
  readonly waitMs: number;

  constructor(code: 'ChannelThrottled' | 'ChannelUnavailable', message: string, waitMs: number) {
    super(code, message);
    this.waitMs = waitMs;
  }
}

/**
 * Sends a message to a channel, once. A secret whose content is refused is read again, since it may have been replaced, and
 * then the message is sent once more.
 * @throws RekeyError of the group `notification`, or of the connection
 */
export async function send(
  name: string,
  notice: Notice,
  deed: Deed,
  context: NotifierContext,
): Promise<void> {
  const channel = context.settings.channels[name];
  if (channel === undefined) return;
  if (channel.kind === 'sns') {
    await context.publishToTopic(channel.topicArn ?? '', mailOf(notice));
    return;
  }
  const { answer, isFresh } = await attempt(name, channel, notice, deed, context, false);
  const receiver = receivers[channel.kind];
  const { taken, refusesCredential } = receiver;
  if (taken(answer.status)) return;
  const last =
    refusesCredential(answer.status) && !isFresh
      ? (await attempt(name, channel, notice, deed, context, true)).answer
      : answer;
  if (!taken(last.status)) throw refusal(name, channel, receiver, last, context);
}

async function attempt(
  name: string,
  channel: Channel,
  notice: Notice,
  deed: Deed,
  context: NotifierContext,
  again: boolean,
) {
  const { credentials, clock, authorities } = context;
  const { opened, isFresh } = await credentials.open(name, channel, again);
  const alert = `rekey-${context.environment}-${notice.incident?.id ?? notice.id}`;
  const request = opened.write(notice, { deed, alert, now: clock.now() });
  const { hostname } = request.url;
  if (!isAllowedHost(hostname, channel.hosts)) {
    throw new RekeyError(
      'ChannelHostRefused',
      `the secret of channel ${name} leads to ${hostname}, and it may lead to ${channel.hosts.join(', ')} only; correct it, or name the host in its hosts`,
    );
  }
  const answer = await context.send(request, {
    where: `channel ${name} at ${hostname}`,
    allowPrivateAddresses: channel.allowPrivateAddresses,
    ...(channel.caFile !== undefined && { certificateAuthorities: authorities(channel.caFile) }),
  });
  return { answer, isFresh };
}

/** Shortest wait for a receiver that is throttled and does not say for how long. */
const usualWaitMs = 30_000;

function refusal(
  name: string,
  { kind, secret }: Channel,
  { refusesCredential }: Receiver,
  answer: ReceiverAnswer,
  { clock }: NotifierContext,
): RekeyError {
  const { status } = answer;
  const waitMs = retryAfterMs(answer, clock.now());
  if (status === 429) {
    const wait = waitMs ?? usualWaitMs;
    return new ChannelPaused(
      'ChannelThrottled',
      `channel ${name}: the receiver takes no more messages (429) for ${Math.ceil(wait / 1_000)} s`,
      wait,
    );
  }
  if (status >= 500 || status === 408) {
    return new ChannelPaused(
      'ChannelUnavailable',
      `channel ${name}: the receiver answered ${status}`,
      waitMs ?? 0,
    );
  }
  if (refusesCredential(status)) {
    return new RekeyError(
      'ChannelCredentialRefused',
      `channel ${name}: the receiver answered ${status}, so what the secret ${secret ?? ''} holds is refused; replace it`,
    );
  }
  return new RekeyError(
    'ChannelRefused',
    `channel ${name}: the receiver answered ${status} to a message of ${kind}`,
  );
}
