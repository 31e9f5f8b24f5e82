import { factOf } from '../audit/event.ts';
import type { AuditRecord } from '../audit/format.ts';
import { incidentIdOf, revocationKey } from '../notification/incident-id.ts';
import { type PartElsewhere, partsElsewhere } from './elsewhere.ts';
import { type Fact, factsOf, timeOf } from './fact.ts';
import { type Group, groupsOf, versionsOf } from './groups.ts';
import { isOfQuarantine, type QuarantineCourse, quarantinesOf } from './quarantines.ts';
import { causesOf, markRetried } from './retries.ts';
import { isOpen, isUnderWay, type SecretCourse, secretCourse, selectionOf, settle } from './secret-course.ts';
import { type Entry, timelineOf } from './timeline.ts';

/** A task for a person that a revocation of several secrets opened. */
export interface Task {
  readonly requestId: string;
  readonly taskId: string;
  readonly task: string;
  /** Secret or consumer that leads to it. */
  readonly via?: string;
  readonly openedAt?: number;
  readonly doneAt?: number;
  /** Words of the person who did it. */
  readonly note?: string;
}

/** A request that led to a plan for several secrets. */
export interface Plan {
  readonly requestId: string;
  /** The choice of secrets, in words. */
  readonly select: string;
  readonly mode?: string;
  readonly reason?: string;
  /** Number of secrets; absent where the plan itself is not recorded. */
  readonly secrets?: number;
  readonly tasks?: number;
  readonly planDigest?: string;
  /** `proven` or `open` as it concluded, or `rejected`. */
  readonly outcome?: string;
  /** Reason why it was rejected, with its code. */
  readonly refusal?: string;
  readonly openTasks?: number;
  readonly requestedAt: number;
  /** Time up to which versions leaked where none are named, by Rekey's own clock. */
  readonly takenAt?: number;
  readonly concludedAt?: number;
}

/** Milliseconds from the first request until it was true of every secret. One that is missing has not come for all. */
export interface Durations {
  /** Secrets of environments elsewhere count, too; of their rotations and proofs their own logs tell. */
  readonly contain?: number;
  readonly rotate?: number;
  readonly prove?: number;
}

/** A person or function, and what it did. */
export interface Deed extends Entry {
  readonly who: string;
}

/**
 * The course of an incident, as the audit log tells it. It says what came of each secret, who did what, and what is open. It is about credentials that leaked. What people are paged for is an incident of `core/notification`.
 */
export interface IncidentCourse {
  /** The responder's name for it, or the id of its first request. */
  readonly id: string;
  readonly names: readonly string[];
  readonly requests: readonly string[];
  readonly correlations: readonly string[];
  /** Requests that another event led to, with the id of that one. */
  readonly causes: ReadonlyMap<string, string>;
  readonly state: 'open' | 'closed';
  /** True while something goes on without anybody doing anything. */
  readonly underWay: boolean;
  readonly drill: boolean;
  readonly reasons: readonly string[];
  readonly plans: readonly Plan[];
  readonly secrets: readonly SecretCourse[];
  readonly tasks: readonly Task[];
  /** Principals that were cut off. Those that stand keep nothing open. */
  readonly quarantines: readonly QuarantineCourse[];
  /** Parts of environments elsewhere; `secrets` above are those of the own one. */
  readonly elsewhere: readonly PartElsewhere[];
  readonly requestedAt: number;
  /** Time of the last thing that happened. */
  readonly lastAt: number;
  readonly closedAt?: number;
  readonly times: Durations;
  readonly timeline: readonly Entry[];
  readonly people: readonly Deed[];
  /** Reasons that keep it open, a sentence each. */
  readonly open: readonly string[];
  /** Sequences of all its records, duplicates too, ascending. */
  readonly sequences: readonly number[];
}

/**
 * Builds the incidents of recorded events, newest first. The order of the records changes nothing, and neither does a record that
 * is there twice.
 *
 * @example
 * const open = incidentsOf(records).filter(({ state }) => state === 'open');
 */
export function incidentsOf(records: readonly AuditRecord[]): readonly IncidentCourse[] {
  const facts = factsOf(records);
  const repeats = repeatsOf(records);
  return groupsOf(facts)
    .map((group) => courseOf(group, repeats))
    .sort((a, b) => b.requestedAt - a.requestedAt || (a.id < b.id ? -1 : 1));
}

/**
 * Finds an incident by its name or one of its ids. That is the id of a request, a correlation id, or the id in the message that
 * somebody was paged with.
 */
export const findIncident = (incidents: readonly IncidentCourse[], id: string): IncidentCourse | undefined =>
  incidents.find(({ names }) => names.includes(id)) ??
  incidents.find(({ requests, correlations }) => requests.includes(id) || correlations.includes(id)) ??
  incidents.find(({ requests }) => requests.some((one) => incidentIdOf(revocationKey(one)) === id));

/** Lists the records of each fact, by the sequence of the first. */
function repeatsOf(records: readonly AuditRecord[]): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, readonly number[]>();
  for (const group of Map.groupBy(records, ({ event }) => factOf(event)).values()) {
    const sequences = [...new Set(group.map(({ sequence }) => sequence))].sort((a, b) => a - b);
    found.set(sequences[0] ?? 0, sequences);
  }
  return found;
}

const numberIn = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

function courseOf(group: Group, repeats: ReadonlyMap<number, readonly number[]>): IncidentCourse {
  const { facts, names, requests, correlations } = group;
  const planned = new Set(
    facts
      .filter((fact) => fact.detailType.startsWith('Revocation ') && !isProof(fact))
      .map(({ requestId }) => requestId),
  );
  const versions = versionsOf(facts);
  const byRequest = Map.groupBy(
    facts,
    ({ requestId, recorded }) => requestId ?? versions.get(recorded.text('versionId') ?? ''),
  );
  const factsFor = (id: string) => byRequest.get(id) ?? [];
  const plans = requests.filter((id) => planned.has(id)).map((id) => planOf(id, factsFor(id)));
  const tasks = [...planned].flatMap((id = '') => tasksOf(id, factsFor(id)));
  const quarantines = quarantinesOf(facts);
  const ofQuarantine = new Set(
    facts.filter(({ detailType }) => isOfQuarantine(detailType)).map(({ requestId }) => requestId),
  );
  const single = requests.filter(
    (id) =>
      !ofQuarantine.has(id) &&
      (!planned.has(id) || factsFor(id).some(({ detailType }) => ofOneSecret.includes(detailType))),
  );
  const courses = settle(single.map((id) => secretCourse(id, factsFor(id))));
  const causes = causesOf(facts);
  const secrets = markRetried(settleByProof(courses, facts), causes);
  const open = openOf(plans, secrets, tasks, facts);
  const elsewhere = plans.flatMap(({ requestId }) => partsElsewhere(requestId, factsFor(requestId)));
  const timeline = timelineOf(facts, secrets);
  const begun = [...plans, ...secrets, ...quarantines].map((one) => one.requestedAt);
  // The end of a quarantine may be all that is recorded.
  const requestedAt = Math.min(...(begun.length > 0 ? begun : facts.map(({ at }) => at)));
  const lastAt = Math.max(requestedAt, ...facts.map(({ at }) => at));
  const closes = Math.max(
    requestedAt,
    ...secrets.map(({ endedAt }) => endedAt ?? 0),
    ...tasks.map(({ doneAt }) => doneAt ?? 0),
    ...plans.map(({ concludedAt }) => concludedAt ?? 0),
    ...quarantines.map(({ placedAt, liftedAt }) => liftedAt ?? placedAt ?? 0),
  );
  return {
    id: names[0] ?? plans[0]?.requestId ?? requests[0] ?? 'unnamed',
    names,
    requests,
    correlations,
    causes,
    state: open.length > 0 ? 'open' : 'closed',
    underWay: secrets.some(isUnderWay) || plans.some(({ outcome }) => outcome === undefined),
    drill: facts.some(({ recorded }) => recorded.data.drill === true),
    reasons: [...new Set([...plans, ...secrets, ...quarantines].flatMap(({ reason }) => reason ?? []))],
    plans,
    secrets,
    tasks,
    quarantines,
    elsewhere,
    requestedAt,
    lastAt,
    ...(open.length === 0 && { closedAt: closes }),
    times: durationsOf(secrets, elsewhere, requestedAt),
    timeline,
    people: timeline.filter(
      (entry): entry is Deed =>
        entry.who !== undefined && entry.attested !== 'function' && entry.attested !== 'trail',
    ),
    open,
    sequences: facts.flatMap(({ sequence }) => repeats.get(sequence) ?? [sequence]).sort((a, b) => a - b),
  };
}

/** Events that tell of one secret, not of a plan for several. */
const ofOneSecret: readonly string[] = [
  'Secret Revocation Started',
  'Credential Contained',
  'Secret Revocation Succeeded',
  'Secret Revocation Unproven',
  'Secret Revocation Failed',
];

function planOf(requestId: string, facts: readonly Fact[]): Plan {
  const first = (type: string) => facts.find(({ detailType }) => detailType === type);
  const [request, plan, end] = [
    first('Secret Revocation Requested'),
    first('Revocation Planned'),
    first('Revocation Concluded'),
  ];
  const rejected = end === undefined ? first('Secret Revocation Rejected') : undefined;
  const { error } = rejected?.recorded ?? {};
  const refusal = error === undefined ? undefined : `${error.code}: ${error.message}`;
  const said = (name: string) => plan?.recorded.text(name) ?? request?.recorded.text(name);
  const [mode, reason, planDigest, outcome] = [
    said('mode'),
    said('reason'),
    said('planDigest'),
    rejected === undefined ? end?.recorded.text('outcome') : 'rejected',
  ];
  const [secrets, tasks] = [numberIn(plan?.recorded.data.secrets), numberIn(plan?.recorded.data.tasks)];
  const takenAt = timeOf(plan?.recorded.data.takenAt) ?? plan?.at;
  const openTasks = numberIn(end?.recorded.data.openTasks);
  return {
    requestId,
    select: plan?.recorded.text('selection') ?? selectionOf(request?.recorded.data.select),
    requestedAt: timeOf((plan ?? end)?.recorded.data.requestedAt) ?? facts[0]?.at ?? 0,
    ...(mode !== undefined && { mode }),
    ...(reason !== undefined && { reason }),
    ...(planDigest !== undefined && { planDigest }),
    ...(secrets !== undefined && { secrets }),
    ...(tasks !== undefined && { tasks }),
    ...(openTasks !== undefined && { openTasks }),
    ...(outcome !== undefined && { outcome }),
    ...(refusal !== undefined && { refusal }),
    ...(takenAt !== undefined && { takenAt }),
    ...(end !== undefined && { concludedAt: timeOf(end.recorded.data.completedAt) ?? end.at }),
  };
}

function tasksOf(requestId: string, facts: readonly Fact[]): readonly Task[] {
  const ofTasks = facts.filter(({ detailType }) => detailType.startsWith('Revocation Task '));
  const byTask = Map.groupBy(ofTasks, ({ recorded }) => recorded.text('taskId') ?? 'unnamed');
  return [...byTask].map(([taskId, told]) => {
    const opened = told.find(({ detailType }) => detailType === 'Revocation Task Opened');
    const done = told.find(({ detailType }) => detailType === 'Revocation Task Done');
    const via = (opened ?? done)?.recorded.text('via');
    const note = done?.recorded.text('note');
    return {
      requestId,
      taskId,
      task: opened?.recorded.text('task') ?? `task ${taskId}, whose beginning is not recorded`,
      ...(via !== undefined && { via }),
      ...(opened !== undefined && { openedAt: opened.at }),
      ...(done !== undefined && { doneAt: done.at }),
      ...(note !== undefined && { note }),
    };
  });
}

/** Id of the task by which a person says that an unproven credential is refused. */
const proofTask = 'proof';

const isProof = ({ detailType, recorded }: Fact): boolean =>
  detailType === 'Revocation Task Done' && recorded.text('taskId') === proofTask;

/**
 * Marks the unproven secrets of which a person says that the old value is refused. Such a record names the secret's own revocation,
 * and not that of the plan: what else the leak led to settles no secret.
 */
function settleByProof(secrets: readonly SecretCourse[], facts: readonly Fact[]): readonly SecretCourse[] {
  const proven = new Set(facts.filter(isProof).map(({ requestId }) => requestId));
  return secrets.map((secret) =>
    secret.state === 'unproven' && secret.settledBy === undefined && proven.has(secret.requestId)
      ? { ...secret, settledBy: proofTask }
      : secret,
  );
}

const durationsOf = (
  secrets: readonly SecretCourse[],
  elsewhere: readonly PartElsewhere[],
  requestedAt: number,
): Durations => {
  const counted = secrets.filter(
    ({ state, settledBy, retriedBy }) =>
      state !== 'rejected' && state !== 'not approved' && settledBy === undefined && retriedBy === undefined,
  );
  const untilAll = (time: (secret: SecretCourse) => number | undefined): number | undefined => {
    const times = counted.map(time).filter((one) => one !== undefined);
    return times.length === 0 || times.length < counted.length ? undefined : Math.max(...times) - requestedAt;
  };
  const own = untilAll(({ containedAt }) => containedAt);
  const there = refusedElsewhere(elsewhere);
  const contained = counted.length === 0 ? 0 : own;
  const contain =
    elsewhere.length === 0
      ? own
      : contained === undefined || there === undefined
        ? undefined
        : Math.max(contained, there - requestedAt);
  const rotate = untilAll(({ rotatedAt }) => rotatedAt);
  const prove = untilAll(({ provenAt }) => provenAt);
  return {
    ...(contain !== undefined && { contain }),
    ...(rotate !== undefined && { rotate }),
    ...(prove !== undefined && { prove }),
  };
};

/** Gives the time of the last refusal elsewhere; undefined until each was seen. */
function refusedElsewhere(parts: readonly PartElsewhere[]): number | undefined {
  const counted = parts.filter(({ outcome, planned, unreachable }) =>
    outcome === undefined ? planned !== 0 || unreachable !== undefined : outcome !== 'none',
  );
  const times = counted.flatMap(({ secrets }) => secrets.map(({ refusedAt }) => refusedAt));
  if (counted.some(({ secrets }) => secrets.length === 0)) return undefined;
  return times.reduce<number | undefined>(
    (last, time) => (last === undefined || time === undefined ? undefined : Math.max(last, time)),
    0,
  );
}

function openOf(
  plans: readonly Plan[],
  secrets: readonly SecretCourse[],
  tasks: readonly Task[],
  facts: readonly Fact[],
): readonly string[] {
  const begunOf = (plan: string) =>
    new Set(facts.filter((fact) => fact.partOf === plan).map(({ requestId }) => requestId)).size;
  return [
    ...plans.flatMap(({ requestId, secrets: count, tasks: planned, outcome, openTasks, refusal }) => {
      const known = tasks.filter((task) => task.requestId === requestId && task.openedAt !== undefined);
      const begun = begunOf(requestId);
      if (outcome === 'rejected') {
        const approved = refusal?.startsWith('ApprovalRefused') !== true;
        return approved
          ? [`The plan ${requestId} was rejected${refusal === undefined ? '' : `, ${refusal}`}.`]
          : [];
      }
      return [
        ...(outcome === undefined ? [`The plan ${requestId} has no conclusion yet.`] : []),
        ...(count !== undefined && count > begun
          ? [`${count - begun} of the ${count} secrets of the plan ${requestId} have not begun.`]
          : []),
        ...(Math.max(planned ?? 0, openTasks ?? 0) > known.length
          ? [
              `The plan ${requestId} counts ${Math.max(planned ?? 0, openTasks ?? 0)} tasks, and ${known.length} are recorded.`,
            ]
          : []),
      ];
    }),
    ...secrets.filter(isOpen).map(openSentence),
    ...tasks
      .filter(({ doneAt }) => doneAt === undefined)
      .map(({ task, via }) => `To do: ${task}${via === undefined ? '' : ` (${via})`}`),
  ];
}

function openSentence({ secretName, state, note, stage, error }: SecretCourse): string {
  switch (state) {
    case 'unproven':
      return `${secretName}: replaced, and nobody has seen the leaked credential refused. ${note ?? ''}`.trim();
    case 'failed':
      return `${secretName}: the revocation failed${stage === undefined ? '' : ` at ${stage}`}${error === undefined ? '' : `, ${error.code}: ${error.message}`}. The leaked credential may still work.`;
    case 'rejected':
      return `${secretName}: the request was rejected${error === undefined ? '' : `, ${error.code}: ${error.message}`}. Nothing was done.`;
    case 'waiting for approval':
      return `${secretName}: waits for a second person.`;
    case 'requested':
      return `${secretName}: was asked for, and has not begun.`;
    default:
      return `${secretName}: is under way.`;
  }
}
