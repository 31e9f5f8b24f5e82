import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { EventData } from '../../core/events/catalogue.ts';
import { createEvent, type EventLinks, type EventOrigin } from '../../core/events/create.ts';
import { type Alive, aliveBy } from '../../core/fingerprint/alive.ts';
import { hashOf } from '../../core/fingerprint/digest.ts';
import { type LookupAnswer, type Match, mostCandidates } from '../../core/fingerprint/lookup.ts';
import { type WithWait, waitOutThrottles } from '../../core/pace/patience.ts';
import type { DefinitionStore, EventBus } from '../../core/ports.ts';
import type { SignalPolicies } from '../../core/signal/policy.ts';
import type { Reading, Signal, SignalKind, Subject } from '../../core/signal/signal.ts';

export interface SignalDependencies extends WithWait {
  readonly policies: SignalPolicies;
  /** Looks hashes up in the fingerprints. @default - the environment keeps none */
  readonly lookUp?: ((hashes: readonly string[]) => Promise<LookupAnswer>) | undefined;
  readonly definitions: Pick<DefinitionStore, 'find'>;
  /** Tells whether nothing that Rekey reaches refuses credentials of a type. */
  readonly isUnverifiable: (secretType: string) => boolean;
  /** Takes records. */
  readonly records: EventBus;
  /** Takes requests: the event bus alone, since nothing else leads to the intake. */
  readonly requests: EventBus;
  readonly origin: EventOrigin;
  /** Takes note that a person must decide about a signal, which is counted and alarmed. */
  readonly askPeople: () => void;
  /** Milliseconds that lookups may be waited for, where others have used up what an environment looks up. */
  readonly patienceMs: number;
}

/** A secret that a signal is about. */
interface Found {
  readonly secretArn: string;
  readonly secretName: string;
  readonly owner?: string;
  /** Versions that hold what was found; missing where the sender names the secret alone. */
  readonly versions?: readonly string[];
  readonly alive: Alive;
  /** True where Secrets Manager has deleted it. Nothing can be requested for it then. */
  readonly isGone: boolean;
}

/** The secrets that a signal is about, and what belongs to none. */
interface Resolved {
  readonly found: readonly Found[];
  readonly unknown: readonly Subject[];
}

/** Counts of what became of signals. */
export interface SignalReport {
  readonly requested: number;
  readonly told: number;
  readonly unresolved: number;
}

/** Records why a message is no signal. */
async function recordIgnored(
  kind: SignalKind,
  reason: string,
  { records, origin }: Pick<SignalDependencies, 'records' | 'origin'>,
): Promise<void> {
  const links = { correlationId: `signal:${kind}` };
  await records.publish([
    createEvent(origin, 'Signal Ignored', { kind, reason: reason.slice(0, 512) }, links),
  ]);
}

/**
 * Answers signals as the configuration says: a revocation is requested, or people are told, or it is recorded alone. What belongs
 * to no secret is told as well. The same signal twice requests and records the same once, by the ids of its events.
 *
 * @throws RekeyError `LookupsExhausted` | `SignalNotTaken` and as AWS answers, after the other signals were answered; the whole is
 * then done again
 */
export async function takeSignals(
  reading: Reading,
  kind: SignalKind,
  dependencies: SignalDependencies,
): Promise<SignalReport> {
  if ('ignored' in reading) {
    await recordIgnored(kind, reading.ignored, dependencies);
    return { requested: 0, told: 0, unresolved: 0 };
  }
  let [requested, told, unresolved] = [0, 0, 0];
  const errors: unknown[] = [];
  for (const signal of reading.signals) {
    // One that cannot be looked up keeps no other of its message from being answered, and is tried again with the whole.
    const resolved = await resolve(signal.subjects, dependencies).catch((error: unknown) => {
      errors.push(error);
      return { found: [], unknown: signal.subjects };
    });
    for (const found of resolved.found) {
      const decision = await answer(signal, found, dependencies);
      if (decision === 'requested') requested += 1;
      else told += 1;
      if (decision === 'asked') dependencies.askPeople();
    }
    if (resolved.unknown.length > 0 || signal.subjects.length === 0) {
      unresolved += 1;
      await tellUnresolved(signal, resolved.unknown, dependencies);
      if (dependencies.policies[signal.kind]?.answer !== 'record') dependencies.askPeople();
    }
  }
  if (errors.length > 0) throw errors[0];
  return { requested, told, unresolved };
}

async function resolve(subjects: readonly Subject[], dependencies: SignalDependencies): Promise<Resolved> {
  const { definitions, wait, lookUp } = dependencies;
  const found: Found[] = [];
  const unknown: Subject[] = [];
  const hashed: { readonly subject: Subject; readonly hash: string }[] = [];
  for (const subject of subjects) {
    if (!('secret' in subject)) {
      const hash = 'fingerprint' in subject ? subject.fingerprint : hashOf(subject.accessKeyId);
      hashed.push({ subject, hash });
      continue;
    }
    const definition = await waitOutThrottles(() => definitions.find(subject.secret), wait);
    if (definition === undefined) unknown.push(subject);
    else {
      const { arn: secretArn, name: secretName, owner } = definition;
      found.push({ secretArn, secretName, owner, alive: 'yes', isGone: false });
    }
  }
  if (lookUp === undefined) return { found, unknown: [...unknown, ...hashed.map(({ subject }) => subject)] };
  const matches: Match[] = [];
  for (let from = 0; from < hashed.length; from += mostCandidates) {
    const hashes = hashed.slice(from, from + mostCandidates).map(({ hash }) => hash);
    const answered = await lookedUp(hashes, dependencies);
    matches.push(...answered.map((match) => ({ ...match, candidate: from + match.candidate })));
  }
  const matched = new Set(matches.map(({ candidate }) => candidate));
  unknown.push(...hashed.flatMap(({ subject }, index) => (matched.has(index) ? [] : [subject])));
  return { found: [...found, ...bySecret(matches, dependencies)], unknown };
}

/** Asks the lookup function. Where others have used up what is looked up in a minute, it waits for as long as it may. */
async function lookedUp(
  hashes: readonly string[],
  { lookUp, wait, patienceMs }: SignalDependencies,
): Promise<readonly Match[]> {
  const pause = wait ?? ((ms: number) => new Promise((resolve) => setTimeout(resolve, ms)));
  for (let waited = 0; ; ) {
    const answered = await lookUp?.(hashes);
    if (answered === undefined) return [];
    if (answered.outcome === 'answered') return answered.matches;
    const ms = (answered.retryAfterSeconds ?? Number.POSITIVE_INFINITY) * 1_000;
    if (waited + ms > patienceMs) {
      throw new RekeyError(
        'SignalNotTaken',
        `the fingerprints could not be asked: ${answered.error.message}`,
      );
    }
    await pause(ms);
    waited += ms;
  }
}

const rank: readonly Alive[] = ['no', 'perhaps', 'yes'];

/** Gathers the versions of each secret. */
function bySecret(matches: readonly Match[], { isUnverifiable }: SignalDependencies): readonly Found[] {
  const secrets = new Map<string, readonly Match[]>();
  for (const match of matches) {
    secrets.set(match.secretArn, [...(secrets.get(match.secretArn) ?? []), match]);
  }
  return [...secrets.values()].flatMap((all) => {
    const [first] = all;
    if (first === undefined) return [];
    const alive = all
      .map((match) =>
        aliveBy({
          labels: match.labels,
          unverifiable: isUnverifiable(match.secretType),
          ...(match.goneBy !== undefined && { goneBy: match.goneBy }),
        }),
      )
      .toSorted((a, b) => rank.indexOf(b) - rank.indexOf(a))[0];
    return [
      {
        secretArn: first.secretArn,
        secretName: first.secretName,
        owner: first.owner,
        versions: [...new Set(all.map(({ versionId }) => versionId))].toSorted(),
        alive: alive ?? 'perhaps',
        isGone: first.goneBy !== undefined,
      },
    ];
  });
}

/** Gives what every event on a signal says. */
const factsOf = ({ kind, id, severity, time, evidence, url }: Signal, policies: SignalPolicies) => ({
  kind,
  signalId: id,
  severity,
  seenAt: time,
  evidence,
  ...(url !== undefined && { url }),
  policy: policies[kind]?.answer ?? 'ask',
});

const correlationOf = ({ kind, id }: Signal): string => `signal:${kind}:${id}`.slice(0, 256);

/** Answers for one secret. Requests go first: an emergency waits for no record. */
async function answer(
  signal: Signal,
  found: Found,
  { policies, records, requests, origin }: SignalDependencies,
): Promise<EventData<'Signal Received'>['decision']> {
  const { answer: wanted = 'ask', mode = 'kill' } = policies[signal.kind] ?? {};
  const { secretArn, secretName, owner, versions, alive, isGone } = found;
  const isRevocable = alive !== 'no' && !isGone;
  const decision =
    wanted === 'record'
      ? 'recorded'
      : alive === 'no'
        ? 'replaced'
        : wanted === 'act' && isRevocable
          ? 'requested'
          : 'asked';
  // Other versions are another request, so that none meets the id of one before.
  const fact = `${signal.kind} ${signal.id} ${secretArn} ${versions?.join() ?? 'all'}`;
  const links: EventLinks = { correlationId: correlationOf(signal), fact };
  if (decision === 'requested') {
    await requests.publish([
      createEvent(
        origin,
        'Secret Revocation Requested',
        {
          select: { secret: secretArn },
          mode,
          ...(versions !== undefined && { versions: [...versions] }),
          reason: `signal ${signal.kind}: ${signal.evidence}`,
          incident: signal.id,
          drill: false,
        },
        links,
      ),
    ]);
  }
  await records.publish([
    createEvent(
      origin,
      'Signal Received',
      {
        ...factsOf(signal, policies),
        secretArn,
        secretName,
        ...(owner !== undefined && { owner }),
        ...(versions !== undefined && { versions: [...versions] }),
        alive,
        decision,
        ...(isRevocable && { command: commandOf(found, mode, signal, origin.environment) }),
      },
      { ...links, fact: `${fact} ${decision}` },
    ),
  ]);
  return decision;
}

/** Makes the command by which a person revokes what was found. */
function commandOf(
  { secretName, versions }: Found,
  mode: string,
  { id }: Signal,
  environment: string,
): string {
  const named = (versions ?? []).slice(0, 20).map((version) => ` --version-id ${version}`);
  // What a sender wrote is no part of what a person pastes into a shell.
  const incident = /^[\w.:/#-]{1,128}$/.test(id) ? ` --incident ${id}` : '';
  return `rekey revoke ${secretName} --mode ${mode}${named.join('')} --reason "…"${incident} --environment ${environment} --wait`;
}

async function tellUnresolved(
  signal: Signal,
  unknown: readonly Subject[],
  { policies, records, origin }: SignalDependencies,
): Promise<void> {
  const accessKeyIds = unknown.flatMap((subject) => ('accessKeyId' in subject ? [subject.accessKeyId] : []));
  const correlationId = correlationOf(signal);
  await records.publish([
    createEvent(
      origin,
      'Signal Unresolved',
      {
        ...factsOf(signal, policies),
        reason: signal.subjects.length === 0 ? 'unnamed' : 'unknown',
        ...(accessKeyIds.length > 0 && { accessKeyIds: accessKeyIds.slice(0, 20) }),
        subjects: unknown.length,
      },
      { correlationId, fact: `${signal.kind} ${signal.id} unresolved ${accessKeyIds.join()}` },
    ),
  ]);
}
