import * as z from 'zod';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { Clock } from '../../core/ports.ts';

/** Time for which the shared secrets of a sender are kept in memory. */
const keptMs = 60_000;

/** Characters below which a shared secret is guessed. */
const text = z.string().min(16).max(1_024);
const schema = z.object({ secret: text, previous: text.optional() });

/** The shared secrets of senders: read when they are needed, and kept in memory for a minute. */
export class SenderSecrets {
  readonly #read: (secretId: string) => Promise<string | undefined>;
  readonly #clock: Clock;
  readonly #kept = new Map<string, { readonly secrets: readonly string[]; readonly until: number }>();

  constructor(read: (secretId: string) => Promise<string | undefined>, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  /**
   * Gives the shared secret of a sender, and the former one while it is being replaced.
   * @throws RekeyError `SignalSecretInvalid`
   */
  async of(secretId: string): Promise<readonly string[]> {
    const now = this.#clock.now().getTime();
    const kept = this.#kept.get(secretId);
    if (kept !== undefined && kept.until > now) return kept.secrets;
    const { data } = schema.safeParse(jsonOf(await this.#read(secretId)));
    if (data === undefined) {
      throw new RekeyError(
        'SignalSecretInvalid',
        `the secret ${secretId} must hold {"secret": "…"} of 16 to 1,024 characters, and may hold "previous" while it is replaced`,
      );
    }
    const secrets = [data.secret, ...(data.previous === undefined ? [] : [data.previous])];
    this.#kept.set(secretId, { secrets, until: now + keptMs });
    return secrets;
  }
}

function jsonOf(value: string | undefined): unknown {
  try {
    return JSON.parse(value ?? '');
  } catch {
    return undefined;
  }
}
