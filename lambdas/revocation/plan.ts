import { usualStepSeconds } from '../../core/deployed/limits.ts';
import type { Member } from '../../core/deployed/members.ts';
import type { PlanPreview, PreviewRequest } from '../../core/deployed/plan-preview.ts';
import type {
  ManifestLane,
  ManifestSecret,
  PlacedPlan,
  PlanInput,
} from '../../core/deployed/revocation-state.ts';
import { plannedRequestId } from '../../core/deployed/revocation-token.ts';
import { summarizeError } from '../../core/errors/rekey-error.ts';
import type { RevocationRequest } from '../../core/events/catalogue.ts';
import { type WithWait, waitOutThrottles } from '../../core/pace/patience.ts';
import type { KnownDefinitions, ValidDefinitions } from '../../core/ports.ts';
import { secretGraph } from '../../core/revocation/graph.ts';
import {
  allTasks,
  chooseMembers,
  type MemberAnswer,
  mergePlans,
  type OwnPlan,
  ownDigest,
} from '../../core/revocation/members.ts';
import {
  type PlannedSecret,
  type PlanPhase,
  planDigest,
  planRevocation,
  type RevocationPlan,
  revocationPlanSchema,
} from '../../core/revocation/plan.ts';
import type { MemberPlans, PlanStore } from '../../core/revocation/ports.ts';
import {
  type SelectedSecrets,
  SelectionError,
  type SelectionSources,
  selectSecrets,
} from '../../core/revocation/select.ts';
import { assignmentOf, type SecretDefinition } from '../../core/secret/definition.ts';

export interface PlanDependencies extends WithWait {
  readonly definitions: ValidDefinitions;
  readonly sources: SelectionSources;
  readonly plans: PlanStore;
  /** Name of the bucket that the plans are in. */
  readonly bucket: string;
  /** The environments elsewhere that a request may be about. @default - none */
  readonly members?: MemberPlans | undefined;
}

/** The parts that a plan is made of. */
type Planning = Pick<PlanDependencies, 'sources' | 'members'> & { readonly known: KnownDefinitions };

/** Request whose plan is meant. Another request with its id has another digest, and a plan of its own. */
type PlanOf = Pick<PlanInput, 'requestId' | 'requestDigest'>;

const folderOf = ({ requestId, requestDigest }: PlanOf): string =>
  `plans/${requestId}/${requestDigest.slice(0, 16)}`;

/** Gives the key of a request's plan. */
export const planKey = (request: PlanOf): string => `${folderOf(request)}/plan.json`;
/** Gives the key of how a member's part of a plan ended. */
export const memberKey = (request: PlanOf, member: string): string =>
  `${folderOf(request)}/member-${member}.json`;
const manifestKey = (request: PlanOf, step: number): string => `${folderOf(request)}/step-${step}.json`;

/**
 * Plans a revocation of several secrets, and keeps the plan and the manifest of each step. A request has one plan: a step that is
 * tried again takes the one that was kept, whatever has changed since.
 *
 * @throws SelectionError where nothing is found, a plan is not the one that was agreed to, or an owner may not ask for a secret
 */
export async function makePlan(input: PlanInput, dependencies: PlanDependencies): Promise<PlacedPlan> {
  const { definitions, sources, plans, bucket, members, wait } = dependencies;
  const { request, owner, subject } = input;
  const known = await waitOutThrottles(() => definitions.listValid(), wait);
  const kept =
    (await plans.read(planKey(input))) ??
    (await plans.keepFirst(
      planKey(input),
      JSON.stringify(await agreedPlan(input, { known, sources, members })),
    ));
  const plan = revocationPlanSchema.parse(JSON.parse(kept));
  requireAgreed(plan, request.plan);
  requireOwn(plan, owner);
  const byName = new Map(known.definitions.map((definition) => [definition.name, definition]));
  const secrets = new Map(plan.secrets.map((secret) => [secret.name, secret]));
  const steps = await Promise.all(
    plan.steps.map(async ({ phase, lanes }, index) => {
      const manifest: ManifestLane[] = lanes.map(({ target, secrets: names }) => ({
        target,
        secrets: names.flatMap((name) => {
          const [secret, definition] = [secrets.get(name), byName.get(name)];
          // One that was removed from the deployment meanwhile has no function that could reach it any more.
          return secret === undefined || definition === undefined
            ? []
            : [manifestSecret(input, secret, definition, phase)];
        }),
      }));
      const key = manifestKey(input, index);
      await plans.keepFirst(key, JSON.stringify(manifest.filter((lane) => lane.secrets.length > 0)));
      return key;
    }),
  );
  return { bucket, steps, count: steps.length, subject: `${subject}: ${planText(plan)}` };
}

/** Says in words what a plan has, with its digest. */
function planText(plan: RevocationPlan): string {
  const targets = new Set(plan.secrets.map(({ target }) => target)).size;
  const count = allTasks(plan).length;
  const tasks = count === 0 ? '' : `, ${count} tasks for people`;
  const elsewhere = (plan.elsewhere?.members ?? []).map(({ name, secrets, unreachable }) =>
    unreachable === undefined ? `, ${secrets.length} in ${name}` : `, unknown in ${name}`,
  );
  return `${plan.secrets.length} secrets at ${targets} targets${elsewhere.join('')}${tasks}, plan ${planDigest(plan).slice(0, 12)}`;
}

/** Makes the plan of a request, and refuses it before it is kept. */
async function agreedPlan(input: PlanInput, planning: Planning): Promise<RevocationPlan> {
  const { plan } = await wholePlan(input.request, planning, input.request.partOf !== undefined);
  requireAgreed(plan, input.request.plan);
  requireOwn(plan, input.owner);
  return plan;
}

/** Shows the plan that a request would run by, and how many secrets more its chain would take along. */
export async function previewPlan(
  { versions, part, members: asked, ...request }: PreviewRequest,
  {
    definitions,
    sources,
    members,
    wait,
  }: Pick<PlanDependencies, 'definitions' | 'sources' | 'members' | 'wait'>,
): Promise<PlanPreview> {
  const known = await waitOutThrottles(() => definitions.listValid(), wait);
  const planning = { known, sources, members };
  const question = {
    ...request,
    ...(versions !== undefined && { versions: [...versions] }),
    ...(asked !== undefined && { members: asked }),
  };
  const isPart = part === true;
  const { plan, own } = await wholePlan(question, planning, isPart);
  const whole =
    request.chain || own === undefined
      ? plan
      : (await ownPlan({ ...question, chain: true }, planning, true)).plan;
  return {
    digest: ownDigest(plan),
    plan,
    beyond: whole.secrets.length - plan.secrets.length,
    ...(isPart && own !== undefined && { unknown: [...own.unknown] }),
  };
}

type PlanQuestion = Pick<
  RevocationRequest,
  'select' | 'mode' | 'chain' | 'versions' | 'asOf' | 'members' | 'partOf'
>;

/** Makes the plan of a request, with the parts of the environments elsewhere that it is about. */
async function wholePlan(
  request: PlanQuestion,
  planning: Planning,
  part: boolean,
): Promise<{ readonly plan: RevocationPlan; readonly own: OwnPlan | undefined }> {
  const { select, mode, chain, members: asked } = request;
  if (asked === undefined) {
    const own = await ownPlan(request, planning, part);
    return { plan: own.plan, own };
  }
  const members = membersOf(asked, planning.members);
  let refusal: unknown;
  const [own, answers] = await Promise.all([
    ownPlan(request, planning, true).catch((error: unknown) => {
      refusal = error;
      return orNothing(asked)(error);
    }),
    askAll({ select, mode, chain: chain === true, members }, planning.members),
  ]);
  // Nobody has such a secret, and nobody was out of reach: that is refused as it is in one environment.
  if (
    own === undefined &&
    answers.every(({ digest, unreachable }) => (digest ?? unreachable) === undefined)
  ) {
    throw refusal;
  }
  const nothing: OwnPlan = { plan: { mode, secrets: [], tasks: [], steps: [] }, unknown: namedIn(select) };
  return { plan: mergePlans(own ?? nothing, answers, select), own };
}

/** Takes a selection that finds nothing here for an empty plan, where other environments may have the secrets. */
const orNothing =
  (asked: RevocationRequest['members']) =>
  (error: unknown): undefined => {
    if (asked === undefined || !isEmpty(error)) throw error;
    return undefined;
  };

const isEmpty = (error: unknown): boolean =>
  error instanceof SelectionError && (error.code === 'SelectionEmpty' || error.code === 'SecretUnknown');

const namedIn = (select: RevocationRequest['select']): string[] =>
  'secrets' in select ? select.secrets.map(({ secret }) => secret) : [];

/** Asks all members. Where even that fails, each of them counts as one that could not be asked. */
async function askAll(
  question: Parameters<MemberPlans['ask']>[0],
  plans: MemberPlans | undefined,
): Promise<readonly MemberAnswer[]> {
  try {
    return (await plans?.ask(question)) ?? [];
  } catch (error) {
    const { code } = summarizeError(error);
    return question.members.map(({ name, environment, account, region }) => ({
      name,
      environment,
      account,
      region,
      secrets: [],
      tasks: 0,
      unreachable: code,
      unknown: namedIn(question.select),
    }));
  }
}

function membersOf(
  asked: NonNullable<RevocationRequest['members']>,
  plans: MemberPlans | undefined,
): readonly Member[] {
  const { chosen, unknown } = chooseMembers(asked, plans?.members ?? []);
  if (unknown.length === 0 && chosen.length > 0) return chosen;
  const known = (plans?.members ?? []).map(({ name }) => name).join(', ');
  throw new SelectionError(
    'MemberUnknown',
    `the request is about ${unknown.length === 0 ? 'all members' : unknown.join(', ')}, and this environment has ${known === '' ? 'no members' : `the members ${known}`}; see revocation.members of its configuration`,
  );
}

/** Tells whether a selection is by a principal of another account, which IAM knows nothing of here. */
const isForeign = (select: RevocationRequest['select'], definitions: readonly SecretDefinition[]): boolean =>
  'principal' in select &&
  definitions[0] !== undefined &&
  select.principal.split(':')[4] !== definitions[0].arn.split(':')[4];

/**
 * Makes the plan of the own environment.
 * @param part - true where names that are unknown here may be of other environments, and are no tasks of this one
 */
async function ownPlan(
  { select, versions, asOf, mode, chain }: PlanQuestion,
  { known: { definitions, invalid }, sources }: Planning,
  part: boolean,
): Promise<OwnPlan> {
  if (part && isForeign(select, definitions)) {
    throw new SelectionError(
      'SelectionEmpty',
      'the principal is of another account: no policy of its own lets it read a secret here',
    );
  }
  const { selected, unknown, reads } = await selectSecrets(select, definitions, sources).catch(
    (error: unknown): SelectedSecrets => {
      // What cannot be read may be what the selection means: "none here" would pass for the whole truth elsewhere.
      if (!part || asOf !== undefined || invalid.length === 0 || !isEmpty(error)) throw error;
      return { selected: [], unknown: namedIn(select) };
    },
  );
  const chosen = {
    mode,
    chain: chain === true,
    ...(reads !== undefined && { reads }),
    selected: selected.map((one) => ({ ...one, ...(versions !== undefined && { versions }) })),
  };
  const byHand = (part ? [] : unknown).map((secret) => ({
    task: `Revoke ${secret} by hand: Rekey knows no secret of this name here.`,
    via: 'the request',
  }));
  const graph = secretGraph(definitions);
  // What leads further, and to whom, was told when it was first tried; told again, it would have to be done again.
  if (asOf !== undefined) {
    return { plan: planRevocation(graph, { ...chosen, leftToPeople: byHand, again: true }), unknown };
  }
  const plan = planRevocation(graph, {
    ...chosen,
    leftToPeople: [
      ...byHand,
      // What one of them leads to is unknown, so nobody can say that the plan is whole.
      ...invalid.map((parameter) => ({
        task: `Look whether the secret of ${parameter} leaked, too: its definition cannot be read; deploy the app again.`,
        via: 'its definition',
      })),
      ...('principal' in select
        ? [
            {
              task: `Look which secrets ${select.principal} may read by their own resource policies, which were not asked.`,
              via: 'the request',
            },
          ]
        : []),
    ],
  });
  return { plan, unknown };
}

function requireAgreed(plan: RevocationPlan, agreed: string | undefined): void {
  if (agreed === undefined || agreed === ownDigest(plan)) return;
  throw new SelectionError(
    'PlanChanged',
    `the plan has ${plan.secrets.length} secrets and is another one than the sender agreed to, since the configuration has changed; look at it with rekey revoke … --plan, and send the request again`,
  );
}

/** Refuses a plan that takes along what its sender may not ask for. */
function requireOwn({ secrets, elsewhere }: RevocationPlan, owner: string | undefined): void {
  if (owner !== undefined && elsewhere !== undefined) {
    throw new SelectionError(
      'SourceNotAllowed',
      `the source of the request may ask for secrets of ${JSON.stringify(owner)} in this environment alone; have somebody who answers for all ask`,
    );
  }
  const foreign = secrets.find((secret) => owner !== undefined && secret.owner !== owner);
  if (foreign === undefined) return;
  throw new SelectionError(
    'SourceNotAllowed',
    `the source of the request may ask for secrets of ${JSON.stringify(owner)}, and ${foreign.name} of the plan is of ${JSON.stringify(foreign.owner)}; have somebody who answers for all ask`,
  );
}

function manifestSecret(
  { requestId, correlationId, requestDigest, requestedAt, takenAt, request }: PlanInput,
  { arn, name, versions }: PlannedSecret,
  definition: SecretDefinition,
  phase: PlanPhase,
): ManifestSecret {
  return {
    requestId: plannedRequestId(requestId, arn),
    partOf: requestId,
    phase,
    correlationId,
    requestDigest,
    // What a step does is decided by its phase, so each goes straight to the rotation.
    mode: 'replace',
    secretArn: arn,
    secretName: name,
    containmentFunction: definition.containmentFunction,
    stepSeconds: definition.stepSeconds ?? usualStepSeconds,
    versions: [...(versions ?? [])],
    // Those of the one secret that is tried again were found, and some may be gone.
    named: versions !== undefined && (request.asOf === undefined || request.versions === undefined),
    requestedAt,
    takenAt,
    consumers: definition.consumers,
    assigned: assignmentOf(definition) ?? null,
    owner: definition.owner,
  };
}
