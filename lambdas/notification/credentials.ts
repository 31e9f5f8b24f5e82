import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { ReadCredential } from '../../core/notification/ports.ts';
import type { Channel } from '../../core/notification/settings.ts';
import { type OpenedReceiver, receivers } from '../../core/notification/vendors/index.ts';
import type { Clock } from '../../core/ports.ts';

/** Time for which a secret is kept in memory, as long as its receiver accepts what it holds. */
const keptMs = 60_000;

type Opened = Extract<OpenedReceiver, { write: unknown }>;

/** The secrets of channels: read when they are needed, and kept in memory for a minute. */
export class ChannelCredentials {
  readonly #read: ReadCredential;
  readonly #clock: Clock;
  readonly #kept = new Map<string, { readonly opened: Opened; readonly until: number }>();

  constructor(read: ReadCredential, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  /**
   * Opens the receiver of a channel with what its secret holds.
   * @param again - true to read the secret although it is at hand
   * @returns the receiver, and whether its secret was read just now
   * @throws RekeyError `ChannelSecretInvalid`
   */
  async open(
    name: string,
    channel: Channel,
    again = false,
  ): Promise<{ readonly opened: Opened; readonly isFresh: boolean }> {
    const { kind, secret } = channel;
    if (kind === 'sns' || secret === undefined) {
      throw new RekeyError(
        'ChannelSecretInvalid',
        `channel ${name} of the kind ${kind} names no secret; deploy again`,
      );
    }
    const now = this.#clock.now().getTime();
    const kept = this.#kept.get(name);
    if (!again && kept !== undefined && kept.until > now) return { opened: kept.opened, isFresh: false };
    const value = await this.#read(secret);
    if (value === undefined) {
      throw new RekeyError(
        'ChannelSecretInvalid',
        `the secret ${secret} of channel ${name} does not exist or has no value`,
      );
    }
    const opened = receivers[kind].open(parsed(value));
    if ('faults' in opened) {
      throw new RekeyError(
        'ChannelSecretInvalid',
        `the secret ${secret} of channel ${name} does not hold what the kind ${kind} needs: ${opened.faults.join('; ')}`,
      );
    }
    this.#kept.set(name, { opened, until: now + keptMs });
    return { opened, isFresh: true };
  }
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
