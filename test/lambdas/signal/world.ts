import { systemRandom } from '../../../adapters/system.ts';
import type { AnyEvent, DetailType, EventData, RekeyEvent } from '../../../core/events/catalogue.ts';
import { hashOf } from '../../../core/fingerprint/digest.ts';
import type { SecretDefinition } from '../../../core/secret/definition.ts';
import type { SignalPolicies } from '../../../core/signal/policy.ts';
import { lookUp } from '../../../lambdas/fingerprint/look-up.ts';
import type { SignalDependencies } from '../../../lambdas/signal/take-signals.ts';
import { sentinel } from '../../core/signal/samples.ts';
import { MemoryIndex, MemoryKey } from '../fingerprint/memory-index.ts';

export const now = new Date('2026-11-28T12:00:00.000Z');
export const secretArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/dev/orders-AbCdEf';
const definition = { arn: secretArn, name: '/dev/orders', owner: 'team-orders' } as SecretDefinition;

/** An environment with one secret, whose current version holds the sentinel and whose former one an access key. */
export class SignalWorld {
  readonly index = new MemoryIndex();
  readonly key = new MemoryKey();
  readonly recorded: AnyEvent[] = [];
  readonly requested: AnyEvent[] = [];
  readonly waited: number[] = [];
  /** Signals that a person must decide about. */
  asked = 0;
  policies: SignalPolicies = {};
  /** Answers of the lookup function that are out of turn. */
  exhausted = 0;
  busFails = false;
  patienceMs = 60_000;

  async fill(
    labels: Readonly<Record<string, readonly string[]>> = { v1: ['AWSCURRENT'], v0: [] },
  ): Promise<this> {
    const { arn, name, owner } = definition;
    await this.index.note({ arn, name, type: 'iam-access-key', strategy: 'single-user', owner });
    for (const [versionId, value] of [
      ['v1', sentinel],
      ['v0', 'AKIA2EXAMPLEKEY00001'],
    ] as const) {
      const mac = await this.key.sign(hashOf(value));
      const standing = { labels: labels[versionId] ?? [], seenAt: now };
      await this.index.add(arn, { versionId, ...standing }, [{ mac, parts: ['password'] }]);
    }
    return this;
  }

  dependencies(): SignalDependencies {
    const origin = {
      source: 'rekey.signal',
      environment: 'dev',
      actor: 'lambda:signal',
      clock: { now: () => now },
      random: systemRandom,
    } as const;
    return {
      policies: this.policies,
      lookUp: async (hashes) => {
        this.exhausted -= 1;
        const left = this.exhausted < 0;
        return await lookUp(
          { hashes },
          {
            key: this.key,
            index: this.index,
            budget: { take: async () => (left ? 'taken' : { retryAfterSeconds: 17 }) },
            records: { publish: async () => {} },
            origin,
          },
        );
      },
      definitions: {
        find: async (id) => (id === definition.name || id === definition.arn ? definition : undefined),
      },
      isUnverifiable: (type) => type === 'generic',
      records: { publish: async (events) => void this.recorded.push(...events) },
      requests: {
        publish: async (events) => {
          if (this.busFails) throw new Error('the bus is away');
          this.requested.push(...events);
        },
      },
      origin,
      askPeople: () => {
        this.asked += 1;
      },
      patienceMs: this.patienceMs,
      wait: async (ms) => void this.waited.push(ms),
    };
  }

  /** Gives the data of recorded events of one type. */
  told<T extends DetailType>(detailType: T): readonly EventData<T>[] {
    return [...this.recorded, ...this.requested]
      .filter((event) => event.detailType === detailType)
      .map((event) => (event as RekeyEvent<T>).detail.data);
  }
}
