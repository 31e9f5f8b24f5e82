import type { ContainmentInput, ContainOutcome } from '../../core/deployed/revocation-state.ts';
import { isSecretDenied } from '../../core/errors/denied.ts';
import { summarizeError } from '../../core/errors/rekey-error.ts';
import type { DetailType, EventData } from '../../core/events/catalogue.ts';
import { createEvent, type EventOrigin } from '../../core/events/create.ts';
import { addDays, dayOf, daysBetween, reminderAt } from '../../core/lifecycle/dates.ts';
import type { ManualSecret } from '../../core/lifecycle/manual-secret.ts';
import { endingMark, lifecycleTags, ownerMark, ownerOfMark } from '../../core/lifecycle/marks.ts';
import { inTurns } from '../../core/pace/in-turns.ts';
import type { DefinitionStore, EventBus, RotationControl, SecretStore } from '../../core/ports.ts';
import { assignmentOf, type SecretDefinition } from '../../core/secret/definition.ts';
import { type SecretDescription, stages, versionWith } from '../../core/secret/secret.ts';

/** The dependencies of {@link lookAfter}. */
export interface LifecycleDependencies {
  readonly definitions: Pick<DefinitionStore, 'list'>;
  readonly manualSecrets: { list(): Promise<readonly ManualSecret[]> };
  readonly store: Pick<SecretStore, 'describe' | 'listVersions' | 'tag'> & {
    /** Takes a tag off. Twice is the same as once. */
    untag(secretId: string, key: string): Promise<void>;
    /** Ends the secret's schedule. Twice is the same as once. */
    cancelRotation(secretId: string): Promise<void>;
  };
  /** Starts rotations, and turns their schedule on again. */
  readonly rotations: RotationControl;
  /** Calls the containment function of a secret. */
  readonly contain: (functionName: string, input: ContainmentInput) => Promise<ContainOutcome>;
  /** Makes the id of a version that a rotation is to make. */
  readonly newToken: () => string;
  readonly records: EventBus;
  readonly origin: EventOrigin;
  /** Numbers of days before a date at which the owner is reminded. */
  readonly remindDaysBefore: readonly number[];
  readonly log: (message: string, about: Readonly<Record<string, unknown>>) => void;
}

/** The number of secrets that were looked at, and those that failed. */
export interface LookedAfter {
  readonly looked: number;
  /** Names of the secrets that a policy or a key closes to the function. */
  readonly skipped: readonly string[];
  readonly failed: readonly { readonly secretName: string; readonly code: string }[];
}

/**
 * Looks after every secret of an environment. It records new ones and new owners, reminds of what ends or is due, and ends what
 * expired.
 *
 * What was recorded is noted in tags of the secret afterwards, so a run that dies tells a fact twice rather than never, under the
 * same id. One secret that fails does not keep the others. One that a policy or a key closes to the function is skipped, unless it
 * should have ended: that it goes on working is an error until it does not.
 */
export async function lookAfter(dependencies: LifecycleDependencies): Promise<LookedAfter> {
  const { definitions, manualSecrets, log } = dependencies;
  const [rotated, manual] = [await definitions.list(), await manualSecrets.list()];
  const tasks = [
    ...rotated.map((definition) => ({
      name: definition.name,
      isOver: isOver(definition, dependencies),
      run: () => ofRotated(definition, dependencies),
    })),
    ...manual.map((secret) => ({
      name: secret.name,
      isOver: isOver(secret, dependencies),
      run: () => ofManual(secret, dependencies),
    })),
  ];
  const failed: LookedAfter['failed'][number][] = [];
  const skipped: string[] = [];
  await inTurns(tasks, async ({ name, isOver: over, run }) => {
    try {
      await run();
    } catch (error) {
      const { code, message } = summarizeError(error);
      log('could not look after a secret', { secretName: name, code, reason: message });
      if (isSecretDenied(error) && !over) {
        skipped.push(name);
        return;
      }
      failed.push({ secretName: name, code });
    }
  });
  return { looked: tasks.length, skipped: skipped.sort(), failed };
}

async function ofRotated(definition: SecretDefinition, dependencies: LifecycleDependencies): Promise<void> {
  const secret = await dependencies.store.describe(definition.arn);
  await recordOwner(secret, definition, dependencies);
  const { expires } = definition;
  const mark = secret.tags[lifecycleTags.expired];
  if (expires === undefined || today(dependencies) <= expires) {
    if (mark !== undefined) await revive(secret, definition, dependencies);
    if (expires !== undefined) {
      await remind(secret, 'Secret Expiry Near', { date: expires, owner: definition.owner }, dependencies);
    }
    return;
  }
  const current = versionWith(secret, stages.current) ?? 'none';
  // A version that came after the end, by hand or by a revocation, is ended as well.
  if (mark !== `${expires} ${current}`) await end(secret, definition, expires, current, dependencies);
  // A deploy may have turned its schedule on again.
  else if (secret.rotationEnabled) await dependencies.store.cancelRotation(secret.arn);
}

async function ofManual(manual: ManualSecret, dependencies: LifecycleDependencies): Promise<void> {
  const { store, origin } = dependencies;
  const secret = await store.describe(manual.arn);
  await recordOwner(secret, manual, dependencies);
  const { expires, owner } = manual;
  if (expires !== undefined && today(dependencies) > expires) {
    if (secret.tags[lifecycleTags.expired] === expires) return;
    const note = 'nothing that Rekey can reach ends it: end it at its service, then delete the secret';
    await announce(secret, 'Secret Expired', { owner, expires, ended: false, note }, expires, dependencies);
    await store.tag(secret.arn, lifecycleTags.expired, expires);
    return;
  }
  const current = (await store.listVersions(secret.arn)).find(({ stages: labels }) =>
    labels.includes(stages.current),
  );
  const since = dayOf(current?.created ?? origin.clock.now());
  const due = addDays(since, manual.replaceEveryDays);
  const endsSoon =
    expires !== undefined &&
    reminderAt(daysBetween(today(dependencies), expires), dependencies.remindDaysBefore) !== undefined;
  const nearest = expires !== undefined && (endsSoon || expires < due) ? expires : due;
  await remind(
    secret,
    nearest === due ? 'Secret Replacement Due' : 'Secret Expiry Near',
    { date: nearest, owner },
    dependencies,
  );
}

/** Tells whether the last day of a secret is over. */
const isOver = (
  { expires }: { readonly expires?: string | undefined },
  dependencies: LifecycleDependencies,
): boolean => expires !== undefined && today(dependencies) > expires;

const today = ({ origin }: LifecycleDependencies): string => dayOf(origin.clock.now());

/** Records a secret that is new, or whose owner is another one than recorded. */
async function recordOwner(
  secret: SecretDescription,
  {
    owner,
    purpose,
    expires,
    ...rest
  }: Pick<SecretDefinition, 'owner' | 'purpose'> & {
    readonly expires?: string | undefined;
    readonly type?: string;
  },
  dependencies: LifecycleDependencies,
): Promise<void> {
  const mark = secret.tags[lifecycleTags.owner];
  if (mark === ownerMark(owner)) return;
  const type = rest.type ?? 'manual';
  if (mark === undefined) {
    const about = { ...(purpose !== undefined && { purpose }), ...(expires !== undefined && { expires }) };
    await announce(secret, 'Secret Registered', { owner, secretType: type, ...about }, owner, dependencies);
  } else {
    const from = ownerOfMark(mark);
    const fact = `${from} ${owner} ${today(dependencies)}`;
    await announce(secret, 'Secret Ownership Transferred', { from, to: owner }, fact, dependencies);
  }
  await dependencies.store.tag(secret.arn, lifecycleTags.owner, ownerMark(owner));
}

/** Reminds the owner of a date, once at each of the days before it. */
async function remind(
  secret: SecretDescription,
  detailType: 'Secret Expiry Near' | 'Secret Replacement Due',
  { date, owner }: { readonly date: string; readonly owner: string },
  dependencies: LifecycleDependencies,
): Promise<void> {
  const daysLeft = daysBetween(today(dependencies), date);
  const reminder = reminderAt(daysLeft, dependencies.remindDaysBefore);
  const mark = `${date} ${reminder}`;
  if (reminder === undefined || secret.tags[lifecycleTags.reminded] === mark) return;
  await announce(secret, detailType, { owner, date, daysLeft }, mark, dependencies);
  await dependencies.store.tag(secret.arn, lifecycleTags.reminded, mark);
}

/** Ends a secret: its rotations, and the logins with each version that is kept. */
async function end(
  secret: SecretDescription,
  definition: SecretDefinition,
  expires: string,
  current: string,
  dependencies: LifecycleDependencies,
): Promise<void> {
  const { store, contain, origin } = dependencies;
  // Marked before anything is cut off: a rotation that began in between would make a credential that works.
  await store.tag(secret.arn, lifecycleTags.expired, endingMark(expires));
  if (secret.rotationEnabled) await store.cancelRotation(secret.arn);
  const versions = await store.listVersions(secret.arn);
  const fact = `${secret.arn} expired ${expires} ${current}`;
  const outcome = await contain(definition.containmentFunction, {
    action: 'contain',
    requestId: fact.slice(-256),
    correlationId: fact.slice(-256),
    secretArn: secret.arn,
    secretName: secret.name,
    versions: versions.map(({ versionId }) => versionId),
    named: false,
    requestedAt: origin.clock.now().toISOString(),
    assigned: assignmentOf(definition) ?? null,
  });
  const isEnded = outcome.refusedAt !== undefined;
  const { owner } = definition;
  const data = {
    owner,
    expires,
    ended: isEnded,
    ...(!isEnded && { note: noteOf(outcome) }),
  };
  await announce(secret, 'Secret Expired', data, `${expires} ${current} ${isEnded}`, dependencies);
  await store.tag(secret.arn, lifecycleTags.expired, `${expires} ${current}`);
}

const noteOf = ({ containments }: ContainOutcome): string =>
  containments.find(({ note }) => note !== undefined)?.note ??
  'nothing showed that its target refuses it: end it there by hand, and see it refused';

/** Has a secret rotate whose expiry was put off. Its schedule is on again, and it gets a credential that works. */
async function revive(
  secret: SecretDescription,
  { owner, expires }: SecretDefinition,
  dependencies: LifecycleDependencies,
): Promise<void> {
  const data = { owner, ...(expires !== undefined && { expires }) };
  await announce(secret, 'Secret Expiry Extended', data, `${expires} ${today(dependencies)}`, dependencies);
  await dependencies.store.untag(secret.arn, lifecycleTags.expired);
  // Where the function does not see yet that the mark is gone, Secrets Manager tries again.
  await dependencies.rotations.rotate(secret.arn, dependencies.newToken());
}

async function announce<
  Type extends
    | 'Secret Registered'
    | 'Secret Ownership Transferred'
    | 'Secret Expiry Near'
    | 'Secret Replacement Due'
    | 'Secret Expired'
    | 'Secret Expiry Extended',
>(
  { arn, name }: SecretDescription,
  detailType: Type & DetailType,
  data: Omit<EventData<Type>, 'secretArn' | 'secretName'>,
  fact: string,
  { records, origin }: LifecycleDependencies,
): Promise<void> {
  const links = { correlationId: arn.slice(-256), fact: `${arn} ${fact}` };
  const whole = { secretArn: arn, secretName: name, ...data } as unknown as EventData<Type>;
  await records.publish([createEvent(origin, detailType, whole, links) as never]);
}
