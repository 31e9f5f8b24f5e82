import type { Member } from '../../core/deployed/members.ts';
import type { MemberLoop, PlanInput } from '../../core/deployed/revocation-state.ts';
import { memberRequestId } from '../../core/deployed/revocation-token.ts';
import { isErrorCode } from '../../core/errors/codes.ts';
import { type ErrorSummary, errorSummary, shortened, summarizeError } from '../../core/errors/rekey-error.ts';
import { detailSchema, type EventData } from '../../core/events/catalogue.ts';
import { createEvent, type EventOrigin } from '../../core/events/create.ts';
import { type MemberAnswer, selectionFor } from '../../core/revocation/members.ts';
import type { PlannedMember } from '../../core/revocation/plan.ts';
import type {
  MemberEnvironments,
  MemberProgress,
  MemberQuestion,
  PlanStore,
  SecretOutcome,
} from '../../core/revocation/ports.ts';
import { readPlan } from './announce-plan.ts';
import { memberKey } from './plan.ts';

/** Time after which no more is heard of members: a plan, and with it a member's, ends within 7 days. */
const heardForMs = 6 * 24 * 3_600_000;

/** Time after which a request that a member knows nothing of is sent again. */
const sentAgainAfterMs = 60_000;

/** Codes with which a member says that it looks after none of the secrets. */
const noSuchSecret: readonly string[] = ['SelectionEmpty', 'SecretUnknown'];

/** Secrets of a member that are named in the record of how its part ended. */
const mostNamed = 200;

/**
 * Asks members for the plans of their parts, all at the same time. One that cannot be asked answers with the reason: a plan is made
 * without it rather than not at all.
 */
export async function askMembers(
  { select, mode, chain, members }: MemberQuestion,
  environments: Pick<MemberEnvironments, 'preview'>,
): Promise<readonly MemberAnswer[]> {
  return await Promise.all(
    members.map(async (member): Promise<MemberAnswer> => {
      const none: MemberAnswer = { ...placeOf(member), secrets: [], tasks: 0, unknown: namesIn(select) };
      const asked = selectionFor(select, member);
      if (asked === undefined) return none;
      try {
        const {
          plan,
          digest,
          unknown = [],
        } = await environments.preview(member, {
          select: asked,
          mode,
          chain,
          part: true,
        });
        return {
          ...placeOf(member),
          digest,
          secrets: plan.secrets.map(({ name, target, owner }) => ({ name, target, owner })),
          tasks: plan.tasks.length,
          unknown: [...unknown],
        };
      } catch (error) {
        const { code } = summarizeError(error);
        return noSuchSecret.includes(code) ? none : { ...none, unreachable: code };
      }
    }),
  );
}

const placeOf = ({ name, environment, account, region }: Member) => ({ name, environment, account, region });

const namesIn = (select: MemberQuestion['select']): string[] =>
  'secrets' in select ? select.secrets.map(({ secret }) => secret) : [];

export interface FollowDependencies {
  readonly members: readonly Member[];
  readonly environments: Pick<MemberEnvironments, 'send' | 'progress'>;
  readonly plans: PlanStore;
  readonly origin: EventOrigin;
  /** Takes what a member could not be asked, or sent, for. */
  readonly failed: (member: string, error: ErrorSummary) => void;
}

const endSchema = detailSchema('Revocation Member Concluded').shape.data.omit({ requestId: true });

/** The end of a member's part, as it is kept. */
export type MemberEnd = Omit<EventData<'Revocation Member Concluded'>, 'requestId'>;

/**
 * Sends each member the request for its part, and looks how far it is. A request that a member knows nothing of is sent again, and
 * is the same each time, so that it is done once. The ends of parts are kept for the conclusion.
 */
export async function followMembers(
  input: PlanInput & { readonly loop?: MemberLoop | undefined },
  dependencies: FollowDependencies,
): Promise<MemberLoop> {
  const { plans, origin } = dependencies;
  const plan = await readPlan(input, plans);
  const now = origin.clock.now().getTime();
  const elapsed = Math.max(0, now - Date.parse(input.takenAt));
  const sent = { ...input.loop?.sent };
  const ends = await Promise.all(
    (plan?.elsewhere?.members ?? [])
      .filter((part) => hasPart(part, input.request))
      .map(async (part) => {
        const key = memberKey(input, part.name);
        if ((await plans.read(key)) !== undefined) return true;
        const end = await followMember(part, { input, sent, gaveUp: elapsed > heardForMs }, dependencies);
        if (end === undefined) return false;
        await plans.keepFirst(key, JSON.stringify(end));
        return true;
      }),
  );
  return {
    done: ends.every((ended) => ended),
    // A tenth of the time so far, so that a short revocation is told at once, and a long one takes few states.
    waitSeconds: Math.round(Math.min(600, Math.max(5, elapsed / 10_000))),
    sent,
  };
}

/** Tells whether a member has a part: it showed a plan, or could not say. */
export const hasPart = (part: PlannedMember, request: PlanInput['request']): boolean =>
  agreedDigest(part, request) !== undefined || part.unreachable !== undefined;

/** Gives the digest of the plan that a member showed, to the sender or to the coordinator. */
const agreedDigest = (
  { name, digest }: PlannedMember,
  { memberPlans }: PlanInput['request'],
): string | undefined => memberPlans?.[name] ?? digest;

async function followMember(
  part: PlannedMember,
  {
    input,
    sent,
    gaveUp,
  }: { readonly input: PlanInput; readonly sent: Record<string, string>; readonly gaveUp: boolean },
  { members, environments, origin, failed }: FollowDependencies,
): Promise<MemberEnd | undefined> {
  const { name } = part;
  const id = memberRequestId(input.requestId, name);
  const member = members.find((one) => one.name === name);
  if (member === undefined) {
    return endOf(part, id, 'unreachable', {
      error: errorSummary(
        'MemberUnknown',
        `the configuration names no member ${name} any more; revoke there by its own rekey revoke`,
      ),
    });
  }
  try {
    const now = origin.clock.now();
    const send = async () => {
      await environments.send(member, requestFor(member, part, input, origin));
      sent[name] = now.toISOString();
    };
    // First of all: what tells how far a member is may be throttled, and must not hold the request back.
    if (sent[name] === undefined && !gaveUp) await send();
    const progress = await environments.progress(member, id, new Date(input.requestedAt));
    if (progress.state !== 'unknown') {
      const mayHaveNone = agreedDigest(part, input.request) === undefined && part.secrets.length === 0;
      return ended(part, id, progress, mayHaveNone) ?? lateEnd(part, id, gaveUp);
    }
    if (gaveUp) return lateEnd(part, id, gaveUp);
    if (now.getTime() - Date.parse(sent[name] ?? '') >= sentAgainAfterMs) await send();
    return undefined;
  } catch (error) {
    const summary = summarizeError(error);
    failed(name, summary);
    return gaveUp ? endOf(part, id, 'unreachable', { error: summary }) : undefined;
  }
}

/**
 * Reads how a member's part ended. A part of which nothing was kept is one of which nothing was heard: the workflow ended before
 * its loop did.
 */
export async function memberEndOf(
  request: Pick<PlanInput, 'requestId' | 'requestDigest'>,
  part: PlannedMember,
  plans: Pick<PlanStore, 'read'>,
): Promise<MemberEnd> {
  const kept = await plans.read(memberKey(request, part.name));
  if (kept === undefined)
    return endOf(part, memberRequestId(request.requestId, part.name), 'unreachable', {});
  return endSchema.parse(JSON.parse(kept)) as MemberEnd;
}

const lateEnd = (part: PlannedMember, id: string, gaveUp: boolean): MemberEnd | undefined =>
  gaveUp ? endOf(part, id, 'unfinished', {}) : undefined;

/** Makes the request for a member's part. The same part gives the same request. */
function requestFor(
  member: Member,
  part: PlannedMember,
  { requestId, correlationId, requestedAt, request }: PlanInput,
  origin: EventOrigin,
) {
  const { mode, reason, incident, drill, breakGlass, chain } = request;
  const plan = agreedDigest(part, request);
  // The trail there sees the member's role as the sender; the request that it is part of tells of the coordinator.
  const event = createEvent(
    { ...origin, source: 'rekey.coordinator', environment: member.environment, actor: member.role },
    'Secret Revocation Requested',
    {
      select: selectionFor(request.select, member) ?? request.select,
      chain: chain === true,
      ...(plan !== undefined && { plan }),
      partOf: requestId,
      mode,
      reason,
      ...(incident !== undefined && { incident }),
      drill,
      ...(breakGlass !== undefined && { breakGlass }),
    },
    { correlationId, causationId: requestId },
  );
  // Its age counts from when a person asked: one that comes too late is refused there, too.
  const metadata = {
    ...event.detail.metadata,
    id: memberRequestId(requestId, member.name),
    time: requestedAt,
  };
  return { ...event, detail: { ...event.detail, metadata } };
}

/**
 * Reads the end of a part; undefined while it goes on.
 * @param mayHaveNone - true where the member has shown no secrets, so that it may turn out to have none
 */
function ended(
  part: PlannedMember,
  id: string,
  progress: MemberProgress,
  mayHaveNone: boolean,
): MemberEnd | undefined {
  if (progress.state === 'rejected') {
    const { code, message, retryable } = progress.error;
    return mayHaveNone && noSuchSecret.includes(code)
      ? endOf(part, id, 'none', {})
      : endOf(part, id, 'rejected', { error: { code, message: shortened(message), retryable } });
  }
  if (progress.state !== 'ended') return undefined;
  const { proven, outcomes, openTasks } = progress;
  return endOf(part, id, proven ? 'proven' : 'open', {
    outcomes,
    ...(openTasks !== undefined && { openTasks }),
  });
}

function endOf(
  part: PlannedMember,
  memberRequestId: string,
  outcome: MemberEnd['outcome'],
  {
    outcomes = [],
    openTasks,
    error,
  }: {
    readonly outcomes?: readonly SecretOutcome[];
    readonly openTasks?: number;
    readonly error?: MemberEnd['error'];
  },
): MemberEnd {
  const told = new Set(outcomes.map(({ secretName }) => secretName));
  const begun = outcome === 'proven' || outcome === 'open';
  // As in the plan of one environment: a secret of which nothing tells how it ended has failed.
  const lost: readonly SecretOutcome[] = begun
    ? part.secrets
        .filter(({ name }) => !told.has(name))
        .map(({ name }) => ({ secretName: name, outcome: 'failed', error: 'WorkflowEnded' }))
    : [];
  const all = [...outcomes, ...lost];
  const count = (wanted: SecretOutcome['outcome']) => all.filter((one) => one.outcome === wanted).length;
  return {
    member: part.name,
    environment: part.environment,
    account: part.account,
    region: part.region,
    memberRequestId,
    outcome,
    succeeded: count('succeeded'),
    unproven: count('unproven'),
    failed: count('failed'),
    openTasks: openTasks ?? (begun ? part.tasks : 0),
    secrets: all
      .toSorted((a, b) => Number(a.outcome === 'succeeded') - Number(b.outcome === 'succeeded'))
      .slice(0, mostNamed)
      .map(({ secretName, outcome: end, refusedAt, error: code }) => ({
        secretName,
        outcome: end,
        ...(refusedAt !== undefined && { refusedAt }),
        ...(code !== undefined && { error: code }),
      })),
    ...(error !== undefined && { error }),
  };
}

/** Gives the reason of an end in words, for the task that it leaves. */
export const endText = ({ outcome, error, unproven, failed, openTasks }: MemberEnd): string =>
  error !== undefined
    ? `${outcome}, ${isErrorCode(error.code) ? error.code : 'Unexpected'}`
    : outcome === 'open'
      ? `open: ${failed} failed, ${unproven} not proven, ${openTasks} tasks`
      : outcome;
