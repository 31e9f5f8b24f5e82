import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type RevocationMode, revocationModes } from '../events/catalogue.ts';
import { assignmentOf, type SecretDefinition } from '../secret/definition.ts';
import { type Edge, edgeText, type SecretGraph } from './graph.ts';
import { levelsOf } from './order.ts';

/** A secret that a selection found, and why. */
export interface Selected {
  /** Name of the secret. */
  readonly name: string;
  /** Versions that leaked. @default - all that Secrets Manager keeps */
  readonly versions?: readonly string[];
  /** Reason in words, such as `named by the request`. */
  readonly because: string;
  /** Time at which the principal that the selection names last read its value, by CloudTrail. */
  readonly readAt?: string;
}

const namesSchema = z.array(z.string()).readonly();

const plannedSecretSchema = z.object({
  name: z.string(),
  arn: z.string(),
  type: z.string(),
  owner: z.string(),
  consumers: namesSchema,
  /** Server or service that accepts its credential. Those of one target share its connections. */
  target: z.string(),
  /** Versions that leaked. @default - all that Secrets Manager keeps */
  versions: namesSchema.optional(),
  /** Reasons in words: the selection, or what leads to it. */
  because: namesSchema,
  /** 0 where nothing in the plan leads to it; else one more than what does. */
  level: z.number(),
  /** Effect on its consumers, in words. */
  breaks: z.string(),
  /** Time at which the principal that the selection names last read its value, by CloudTrail. */
  readAt: z.string().optional(),
});
/** A secret of the plan. */
export type PlannedSecret = z.output<typeof plannedSecretSchema>;

const plannedTaskSchema = z.object({
  /** Short id, the same each time the plan is made. */
  id: z.string(),
  /** Sentence that says what to do. */
  task: z.string(),
  /** Secret or workload that leads to it. */
  via: z.string(),
});
/** A task that Rekey leaves to a person, and that keeps the incident open. */
export type PlannedTask = z.output<typeof plannedTaskSchema>;

const planPhases = ['contain', 'contain again', 'replace'] as const;
/** Deed of one step: cut off, cut off what was not yet, or replace and prove. */
export type PlanPhase = (typeof planPhases)[number];

const planLaneSchema = z.object({ target: z.string(), secrets: namesSchema });
/** Secrets of one target, by their names, that go one after the other. The lanes of a step go at the same time. */
export type PlanLane = z.output<typeof planLaneSchema>;

const planStepSchema = z.object({ phase: z.enum(planPhases), lanes: z.array(planLaneSchema).readonly() });
/** One step of a plan. The next begins when all of its lanes are through. */
export type PlanStep = z.output<typeof planStepSchema>;

const readsSchema = z.object({
  /**
   * `read`: CloudTrail's files tell who read. `off`: the environment has no trail. `unreadable`: what was taken out of the trail could
   * not be asked.
   */
  trail: z.enum(['read', 'off', 'unreadable']),
  /** Times of the first and the last call that were taken out of the trail; missing where there were none. */
  since: z.string().optional(),
  until: z.string().optional(),
});
/** The reach of what a plan knows of reads by a principal. */
export type PlanReads = z.output<typeof readsSchema>;
/** The form of a part of a plan that is of an environment elsewhere. */
export const plannedMemberSchema = z.object({
  /** Name of the member in the coordinator's configuration. */
  name: z.string(),
  environment: z.string(),
  account: z.string(),
  region: z.string(),
  /** Digest of its own plan. Absent where it could not be asked, or looks after none of the secrets. */
  digest: z.string().optional(),
  /** The secrets of its plan. */
  secrets: z.array(z.object({ name: z.string(), target: z.string(), owner: z.string() })).readonly(),
  /** Number of tasks that its plan leaves to people there. */
  tasks: z.number(),
  /** Code of the error where it could not be asked. */
  unreachable: z.string().optional(),
});
/** The part of a plan that an environment elsewhere runs by itself. */
export type PlannedMember = z.output<typeof plannedMemberSchema>;

/** The form of a plan, wherever it was kept or sent. Its keys stand in the order in which the digest has them. */
export const revocationPlanSchema = z.object({
  mode: z.enum(revocationModes),
  /** In the order in which they are replaced. */
  secrets: z.array(plannedSecretSchema).readonly(),
  tasks: z.array(plannedTaskSchema).readonly(),
  steps: z.array(planStepSchema).readonly(),
  /** Evidence on who really read; missing where the selection names no principal. */
  reads: readsSchema.optional(),
  /** The parts of other environments, and the tasks that these leave to the coordinator's people. */
  elsewhere: z
    .object({
      members: z.array(plannedMemberSchema).readonly(),
      tasks: z.array(plannedTaskSchema).readonly(),
    })
    .optional(),
});
/** The plan of a revocation of several secrets. It is data: what is shown is what runs. */
export type RevocationPlan = z.output<typeof revocationPlanSchema>;

/** The question that a plan answers. */
export interface PlanRequest {
  readonly mode: RevocationMode;
  readonly selected: readonly Selected[];
  /** True to follow what the selected secrets lead to. */
  readonly chain: boolean;
  /** Secrets of one target that are dealt with at once. @default 8 */
  readonly atOncePerTarget?: number;
  /** Further tasks for people. @default - those that the graph has */
  readonly leftToPeople?: readonly Omit<PlannedTask, 'id'>[];
  /** Evidence on who really read. @default - the selection names no principal */
  readonly reads?: PlanReads;
  /** True where the secrets are tried again. The tasks of the graph were opened with the first try. @default false */
  readonly again?: boolean;
}

/** Connections that a plan takes of one target at a time, where nothing else is said. */
const usualAtOncePerTarget = 8;

/**
 * Lanes of a step that go at once; those of one target are fewer. They are as many as it takes to keep the pace of rotations
 * where each secret takes 15 seconds, and use less than a usual account's functions.
 */
export const usualLanesAtOnce = 300;

/**
 * Secrets of one lane. A lane is an execution of Step Functions. Its input ends at 256 KiB, of which a secret takes 1 to 4; its
 * history ends at 25,000 events, of which a secret takes about 40, and several hundred where much is throttled.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 */
const mostPerLane = 50;

/**
 * Plans a revocation: which secrets, why each, in which order, and what is left to people. It follows what credentials lead to
 * up to the end; cycles end where they began.
 *
 * `kill` cuts everything off first, at all targets at once. What leads to others is replaced next, and what could not be cut
 * off without it is cut off once more; then the rest is replaced. `replace` goes level by level: what leads to others first.
 *
 * @example
 * planRevocation(secretGraph(definitions), {
 *   mode: 'kill', chain: true, selected: [{ name: '/prod/db/admin', because: 'named by the request' }],
 * });
 */
export function planRevocation(graph: SecretGraph, request: PlanRequest): RevocationPlan {
  const { mode } = request;
  const { found, tasks: ofGraph } = follow(graph, request);
  const tasks = [
    ...(request.again === true ? [] : ofGraph),
    ...(request.leftToPeople ?? []).map(withId),
  ].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const chosen = new Set(request.selected.map(({ name }) => name));
  const sorted = [...found.keys()].toSorted();
  // In a cycle, what the request is about goes first.
  const names = [...sorted.filter((name) => chosen.has(name)), ...sorted.filter((name) => !chosen.has(name))];
  const levels = levelsOf(names, (name) => secretsAfter(graph, name));
  const ordered = names.toSorted((a, b) => (levels.get(a) ?? 0) - (levels.get(b) ?? 0));
  const secrets = ordered.flatMap((name) => {
    const definition = graph.definitions.get(name);
    return definition === undefined
      ? []
      : [plannedSecret(definition, found.get(name), levels.get(name) ?? 0, mode)];
  });
  const leads = new Set(
    names.filter((name) => secretsAfter(graph, name).some((other) => found.has(other) && other !== name)),
  );
  const steps = stepsOf(secrets, leads, request);
  return { mode, secrets, tasks, steps, ...(request.reads !== undefined && { reads: request.reads }) };
}

/**
 * Gives the digest of a plan: the same for the same plan, whenever and wherever it is made. Times of reads are no part of it: a
 * plan that was agreed to stays the same when somebody reads once more.
 */
export const planDigest = ({ reads: _reads, secrets, ...plan }: RevocationPlan): string => {
  const { mode, ...rest } = plan;
  const lasting = secrets.map(({ readAt: _at, ...secret }) => secret);
  return createHash('sha256')
    .update(JSON.stringify({ mode, secrets: lasting, ...rest }))
    .digest('hex');
};

interface Found {
  readonly because: Set<string>;
  readonly readAt?: string;
  /** Versions that leaked; undefined where all count. */
  versions: Set<string> | undefined;
}

function follow(
  graph: SecretGraph,
  { selected, chain }: PlanRequest,
): { readonly found: ReadonlyMap<string, Found>; readonly tasks: readonly PlannedTask[] } {
  const found = new Map<string, Found>();
  const tasks = new Map<string, PlannedTask>();
  const queue: string[] = [];
  const add = (name: string, because: string, versions: readonly string[] | undefined, readAt?: string) => {
    const known = found.get(name);
    if (known === undefined) {
      found.set(name, {
        because: new Set([because]),
        versions: versions === undefined ? undefined : new Set(versions),
        ...(readAt !== undefined && { readAt }),
      });
      queue.push(name);
      return;
    }
    known.because.add(because);
    if (versions === undefined) known.versions = undefined;
    else for (const version of versions) known.versions?.add(version);
  };
  for (const { name, versions, because, readAt } of selected) add(name, because, versions, readAt);
  // What it leads to is listed for people in any case: also where it is not taken along.
  for (let index = 0; index < queue.length; index += 1) {
    for (const edge of graph.edges.get(queue[index] as string) ?? []) {
      if (edge.to === undefined) {
        const task = taskOf(edge);
        tasks.set(task.id, task);
      } else if (chain) {
        add(edge.to, edgeText(edge), undefined);
      }
    }
  }
  return { found, tasks: [...tasks.values()] };
}

function taskOf({ from, via, task = '' }: Edge): PlannedTask {
  const where = via === undefined ? from : `${via}, which reads ${from}`;
  return withId({ task, via: where });
}

/** Gives a task an id that is the same each time the plan is made. */
export const withId = ({ task, via }: Omit<PlannedTask, 'id'>): PlannedTask => ({
  id: createHash('sha256').update(`${via}\n${task}`).digest('hex').slice(0, 8),
  task,
  via,
});

const secretsAfter = ({ edges }: SecretGraph, name: string): string[] =>
  (edges.get(name) ?? []).flatMap(({ to }) => to ?? []);

function plannedSecret(
  definition: SecretDefinition,
  found: Found | undefined,
  level: number,
  mode: RevocationMode,
): PlannedSecret {
  const { name, arn, type, owner, consumers } = definition;
  return {
    name,
    arn,
    type,
    owner,
    consumers,
    target: targetOf(definition),
    ...(found?.versions !== undefined && { versions: [...found.versions].toSorted() }),
    because: [...(found?.because ?? [])].toSorted(),
    level,
    breaks: effectOn(consumers, mode),
    ...(found?.readAt !== undefined && { readAt: found.readAt }),
  };
}

/** Names the target of a secret: its server and port, or else its type. */
function targetOf(definition: SecretDefinition): string {
  const fields = assignmentOf(definition)?.fields ?? definition.content?.fields;
  const host = fields?.host;
  if (typeof host !== 'string') return definition.type;
  return fields?.port === undefined ? host : `${host}:${fields.port}`;
}

function effectOn(consumers: readonly string[], mode: RevocationMode): string {
  const who = consumers.length === 0 ? 'whoever reads it' : consumers.join(', ');
  return mode === 'kill'
    ? `${who}: refused from the cut-off until the new value is read`
    : `${who}: nothing, for those who read the new value before the old one is refused`;
}

function stepsOf(
  secrets: readonly PlannedSecret[],
  leads: ReadonlySet<string>,
  { mode, atOncePerTarget = usualAtOncePerTarget }: PlanRequest,
): PlanStep[] {
  const step = (phase: PlanPhase, of: readonly PlannedSecret[]): PlanStep[] =>
    portionsOf(of, atOncePerTarget * mostPerLane).map((portion) => ({
      phase,
      lanes: lanesOf(portion, atOncePerTarget),
    }));
  const byLevel = (of: readonly PlannedSecret[]) =>
    [...Map.groupBy(of, ({ level }) => level)].toSorted(([a], [b]) => a - b).map(([, group]) => group);
  if (mode === 'replace') return byLevel(secrets).flatMap((level) => step('replace', level));
  const leading = secrets.filter(({ name }) => leads.has(name));
  const rest = secrets.filter(({ name }) => !leads.has(name));
  return [
    ...step('contain', secrets),
    ...byLevel(leading).flatMap((level) => step('replace', level)),
    // With its admin secret cut off, a user may have been out of reach.
    ...(leading.length === 0 ? [] : step('contain again', rest)),
    ...step('replace', rest),
  ];
}

/** Divides secrets so that no portion has more than `most` of one target. */
function portionsOf(secrets: readonly PlannedSecret[], most: number): PlannedSecret[][] {
  const seen = new Map<string, number>();
  const portions: PlannedSecret[][] = [];
  for (const secret of secrets) {
    const before = seen.get(secret.target) ?? 0;
    seen.set(secret.target, before + 1);
    const index = Math.floor(before / most);
    const portion = portions[index] ?? [];
    portion.push(secret);
    portions[index] = portion;
  }
  return portions;
}

/** Deals the secrets of each target out to as many lanes as it may have. */
function lanesOf(secrets: readonly PlannedSecret[], atOnce: number): PlanLane[] {
  return [...Map.groupBy(secrets, ({ target }) => target)].flatMap(([target, group]) => {
    const lanes: string[][] = Array.from({ length: Math.min(atOnce, group.length) }, () => []);
    for (const [index, { name }] of group.entries()) lanes[index % lanes.length]?.push(name);
    return lanes.map((names) => ({ target, secrets: names }));
  });
}
