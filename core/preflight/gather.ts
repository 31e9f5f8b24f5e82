import { stages } from '../secret/secret.ts';
import { accountIn, regionIn } from './access.ts';
import { ask, gapOf, gate, remembered } from './ask.ts';
import { hasKey } from './checks/key-missing.ts';
import { possibleSecret } from './checks/name-invalid.ts';
import {
  type Answer,
  answered,
  type ReaderFacts,
  type ReferenceFacts,
  unanswered,
  valueIn,
} from './facts.ts';
import type {
  EncryptionKey,
  KnownPrincipal,
  KnownSecret,
  PreflightCloud,
  PreflightEnvironment,
  ValueShape,
  VersionPlace,
} from './ports.ts';
import type { SecretReference } from './reference.ts';

/** The account and the environment that references are proven against. */
export interface PreflightWorld {
  readonly cloud: PreflightCloud;
  /** Facts of the environment of Rekey; absent where none is deployed. */
  readonly facts?: PreflightEnvironment;
  readonly account: string;
  readonly region: string;
}

/** A request to gather facts. */
export interface Gathering {
  readonly references: readonly SecretReference[];
  readonly environment: string;
  readonly environments: ReadonlySet<string>;
  readonly now: Date;
  /** ARN of the role that reads where a manifest does not say. */
  readonly reader?: string;
  readonly probe: boolean;
  /** Names of the checks that are left out, with the calls that they take. */
  readonly skipped: ReadonlySet<string>;
  /** Calls at once. */
  readonly concurrency: number;
  /** Takes note of each secret that has been looked at. */
  readonly seen?: (done: number, all: number) => void;
}

/** Values that one call looks at. */
const valuesAtOnce = 20;
type Common = Pick<ReferenceFacts, 'environment' | 'environments' | 'now'>;

const commonOf = ({ environment, environments, now }: Gathering): Common => ({
  environment,
  environments,
  now,
});

/** Gives the same text for references to the same secret. */
const placeOf = ({ secret, account = '' }: SecretReference, region: string): string =>
  `${region} ${account} ${secret}`;

const regionOf = ({ secret, region }: SecretReference, usual: string): string =>
  secret.startsWith('arn:') ? regionIn(secret) || usual : (region ?? usual);

/** Gives the facts of references where nothing is asked. Only their form is proven then. */
export const withoutCloud = (gathering: Gathering): readonly ReferenceFacts[] =>
  gathering.references.map((reference) => ({
    ...commonOf(gathering),
    reference,
    region: regionOf(reference, 'the region of the deploy'),
    secret: unanswered({ code: 'NotAsked', message: 'nothing was asked of AWS (--offline)' }),
  }));

/**
 * Gathers what the checks go by. Each secret, key and role is asked about once, however many references name it, and no more
 * calls run at once than asked for.
 */
export async function gatherFacts(
  gathering: Gathering,
  world: PreflightWorld,
): Promise<readonly ReferenceFacts[]> {
  const { references, concurrency } = gathering;
  const asking = new Asking(gathering, world, gate(concurrency));
  const placed = references.map((reference) => ({
    reference,
    region: regionOf(reference, world.region),
  }));
  const distinct = new Map(placed.map((one) => [placeOf(one.reference, one.region), one]));
  let done = 0;
  await Promise.all(
    [...distinct.values()].map(async ({ reference, region }) => {
      await asking.secret(reference, region);
      done += 1;
      gathering.seen?.(done, distinct.size);
    }),
  );
  await asking.shapesOf(placed);
  return await Promise.all(
    placed.map(async ({ reference, region }) => await asking.factsOf(reference, region)),
  );
}

/** One run's questions, each of them asked once. */
class Asking {
  readonly #gathering: Gathering;
  readonly #world: PreflightWorld;
  readonly #turn: ReturnType<typeof gate>;
  readonly #secrets = remembered<Answer<KnownSecret | undefined>>();
  readonly #names = remembered<Answer<readonly string[]>>();
  readonly #policies = remembered<NonNullable<ReferenceFacts['policy']>>();
  readonly #keys = remembered<Answer<EncryptionKey | undefined>>();
  readonly #roles = remembered<Answer<KnownPrincipal | undefined>>();
  readonly #definitions = remembered<NonNullable<ReferenceFacts['definition']>>();
  readonly #once = remembered<Answer<unknown>>();
  readonly #trials = remembered<NonNullable<ReferenceFacts['trial']>>();
  readonly #shapes = new Map<string, Answer<ValueShape>>();

  constructor(gathering: Gathering, world: PreflightWorld, turn: ReturnType<typeof gate>) {
    this.#gathering = gathering;
    this.#world = world;
    this.#turn = turn;
  }

  #ask<T>(call: () => Promise<T>): Promise<Answer<T>> {
    return ask(() => this.#turn(call));
  }

  /** Describes the secret of a reference. */
  secret(reference: SecretReference, region: string): Promise<Answer<KnownSecret | undefined>> {
    const { cloud, account } = this.#world;
    const { secret: id } = reference;
    return this.#secrets(placeOf(reference, region), async () => {
      if (!possibleSecret.test(id)) return answered(undefined);
      const ofName = id.startsWith('arn:') ? undefined : reference.account;
      if (ofName !== undefined && ofName !== account) {
        // A name alone would find the caller's own secret of that name.
        return unanswered({
          code: 'SecretMissing',
          message: `it is in account ${ofName}, and only an ARN finds it from here; write its ARN, or run the check there`,
        });
      }
      const found = await this.#ask(() => cloud.secret({ id, region }));
      const owner = id.startsWith('arn:') ? accountIn(id) : account;
      if (owner === account || (found.known && found.value !== undefined)) return found;
      // Another account tells nobody from outside whether something is there.
      return unanswered({
        code: found.known ? 'SecretMissing' : found.gap.code,
        message: `it is in account ${owner}, which does not show it to this caller; run the check there`,
      });
    });
  }

  /** Looks at the shapes of all values of which a reference names a key, twenty at a time. */
  async shapesOf(
    placed: readonly { readonly reference: SecretReference; readonly region: string }[],
  ): Promise<void> {
    if (this.#gathering.skipped.has('KeyMissing')) return;
    const wanted = new Map<string, VersionPlace>();
    for (const { reference, region } of placed) {
      const secret = valueIn(await this.secret(reference, region));
      if (reference.key === undefined || secret === undefined || secret.deleted !== undefined) continue;
      if (hasVersion(secret, reference)) {
        wanted.set(shapeKey(secret, reference), { ...versionOf(reference), id: secret.arn, region });
      }
    }
    const byRegion = Map.groupBy(wanted, ([, { region }]) => region);
    const batches = [...byRegion.values()].flatMap((all) =>
      Array.from({ length: Math.ceil(all.length / valuesAtOnce) }, (_, index) =>
        all.slice(index * valuesAtOnce, (index + 1) * valuesAtOnce),
      ),
    );
    await Promise.all(
      batches.map(async (batch) => {
        const answer = await this.#ask(() => this.#world.cloud.shapes(batch.map(([, place]) => place)));
        for (const [index, [key]] of batch.entries()) {
          const shape = answer.known ? answer.value[index] : undefined;
          if (!answer.known) this.#shapes.set(key, answer);
          else if (shape instanceof Error) this.#shapes.set(key, unanswered(gapOf(shape)));
          else if (shape !== undefined) this.#shapes.set(key, answered(shape));
        }
      }),
    );
  }

  async factsOf(reference: SecretReference, region: string): Promise<ReferenceFacts> {
    const { account } = this.#world;
    const secret = await this.secret(reference, region);
    const base = { ...commonOf(this.#gathering), reference, region, account, secret };
    if (!secret.known) return base;
    const known = secret.value;
    if (known === undefined) {
      return possibleSecret.test(reference.secret) ? { ...base, names: await this.#namesIn(region) } : base;
    }
    const definition = await this.#definition(known);
    if (known.deleted !== undefined) return { ...base, ...(definition && { definition }) };
    const [policy, key, reader, principals, revocation, trial] = await Promise.all([
      this.#policy(known, region),
      this.#key(known, region),
      this.#reader(reference),
      this.#principals(known),
      this.#revocation(known, definition),
      this.#trial(known, reference, region, definition),
    ]);
    const shape = shapeFor(reference, this.#shapes.get(shapeKey(known, reference)));
    return {
      ...base,
      ...(definition && { definition }),
      ...(policy && { policy }),
      ...(key && { key }),
      ...(reader && { reader }),
      ...(principals && { principals }),
      ...(revocation && { revocation }),
      ...(shape && { shape }),
      ...(trial && { trial }),
    };
  }

  #namesIn(region: string): Promise<Answer<readonly string[]>> {
    return this.#names(region, () => this.#ask(() => this.#world.cloud.names(region)));
  }

  #makes(...checks: readonly string[]): boolean {
    return checks.some((check) => !this.#gathering.skipped.has(check));
  }

  #policy({ arn }: KnownSecret, region: string) {
    if (!this.#makes('ReaderDenied', 'ReadableByTooMany')) return undefined;
    return this.#policies(arn, () => this.#ask(() => this.#world.cloud.resourcePolicy({ id: arn, region })));
  }

  #key({ keyId }: KnownSecret, region: string) {
    if (keyId === undefined || !this.#makes('ReaderDenied', 'ReadableByTooMany', 'KeyUnusable'))
      return undefined;
    return this.#keys(`${region} ${keyId}`, () =>
      this.#ask(() => this.#world.cloud.encryptionKey(keyId, region)),
    );
  }

  async #reader({ readBy }: SecretReference): Promise<ReaderFacts | undefined> {
    if (!this.#makes('ReaderDenied')) return undefined;
    const { account, cloud } = this.#world;
    const named = readBy?.roleArn ?? (readBy?.roleName && `arn:aws:iam::${account}:role/${readBy.roleName}`);
    const arn = named ?? this.#gathering.reader;
    if (arn === undefined) return undefined;
    if (accountIn(arn) !== account) {
      const gap = {
        code: 'NotAsked',
        message: `${arn} is a role of another account, whose policies cannot be read from here; run the check there`,
      } as const;
      return { arn, role: unanswered(gap), foreign: foreignRole(arn) };
    }
    const name = arn.split('/').at(-1) ?? arn;
    const role = await this.#roles(name, () => this.#ask(() => cloud.role(name)));
    const found = valueIn(role);
    if (readBy?.roleArn === undefined || found === undefined || found.arn === arn) {
      return { arn: found?.arn ?? arn, role };
    }
    // A role of the same name under another path is another role to whoever is given this ARN.
    return { arn, role: answered(undefined) };
  }

  async #principals({ arn }: KnownSecret): Promise<ReferenceFacts['principals']> {
    if (!this.#makes('ReadableByTooMany') || accountIn(arn) !== this.#world.account) return undefined;
    const answer = await this.#once('principals', () => this.#ask(() => this.#world.cloud.principals()));
    return answer as Answer<readonly KnownPrincipal[]>;
  }

  async #definition(secret: KnownSecret): Promise<ReferenceFacts['definition'] | undefined> {
    const { facts } = this.#world;
    const wanted =
      this.#gathering.probe ||
      this.#makes('SecretOfOtherEnvironment', 'SecretExpired', 'SecretOverdue', 'SecretRevoked');
    if (facts === undefined || !wanted) return undefined;
    return await this.#definitions(secret.arn, () => this.#ask(() => facts.definition(secret)));
  }

  async #revocation(
    { arn }: KnownSecret,
    definition: ReferenceFacts['definition'],
  ): Promise<ReferenceFacts['revocation'] | undefined> {
    const { facts } = this.#world;
    // What the environment does not know, it has not revoked.
    if (facts === undefined || valueIn(definition)?.type === undefined || !this.#makes('SecretRevoked')) {
      return undefined;
    }
    const answer = await this.#once('revocations', () => this.#ask(() => facts.openRevocations()));
    if (!answer.known) return answer;
    return answered((answer.value as Awaited<ReturnType<typeof facts.openRevocations>>).get(arn));
  }

  async #trial(
    secret: KnownSecret,
    reference: SecretReference,
    region: string,
    definition: ReferenceFacts['definition'],
  ): Promise<ReferenceFacts['trial'] | undefined> {
    if (!this.#gathering.probe || !hasVersion(secret, reference)) return undefined;
    const place = { ...versionOf(reference), id: secret.arn, region };
    return await this.#trials(shapeKey(secret, reference), () =>
      this.#ask(() => this.#world.cloud.tryOut(place, valueIn(definition)?.type)),
    );
  }
}

/** Gives what is known of a value's keys, where it decides about the one that is named. */
function shapeFor(
  reference: SecretReference,
  shape: Answer<ValueShape> | undefined,
): Answer<ValueShape> | undefined {
  if (reference.key === undefined || shape === undefined) return undefined;
  const known = valueIn(shape);
  if (known === undefined || !known.cut || hasKey(known, reference)) return shape;
  return unanswered({
    code: 'NotAsked',
    message: 'the value has more keys or levels than are looked at, and the key is not among those',
  });
}

const foreignRole = (arn: string): KnownPrincipal => ({
  kind: 'role',
  arn,
  tags: {},
  policies: [{ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['*'], Resource: ['*'] }] }],
  foreign: true,
});

const versionOf = ({ versionStage, versionId }: SecretReference) => ({
  ...(versionStage !== undefined && { versionStage }),
  ...(versionId !== undefined && { versionId }),
});

const shapeKey = ({ arn }: KnownSecret, { versionStage, versionId }: SecretReference): string =>
  JSON.stringify([arn, versionId ?? null, versionStage ?? (versionId === undefined ? stages.current : null)]);

/** Tells whether a secret has the version that a reference names. */
function hasVersion({ versions }: KnownSecret, { versionId, versionStage }: SecretReference): boolean {
  if (versionId !== undefined) {
    const labels = versions[versionId];
    return labels !== undefined && (versionStage === undefined || labels.includes(versionStage));
  }
  return Object.values(versions).some((labels) => labels.includes(versionStage ?? stages.current));
}
