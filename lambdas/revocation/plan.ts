import { usualStepSeconds } from '../../core/deployed/limits.ts';
import type { PlanPreview, PreviewRequest } from '../../core/deployed/plan-preview.ts';
import type {
  ManifestLane,
  ManifestSecret,
  PlacedPlan,
  PlanInput,
} from '../../core/deployed/revocation-state.ts';
import { plannedRequestId } from '../../core/deployed/revocation-token.ts';
import type { RevocationRequest } from '../../core/events/catalogue.ts';
import { type WithWait, waitOutThrottles } from '../../core/pace/patience.ts';
import type { KnownDefinitions, ValidDefinitions } from '../../core/ports.ts';
import { secretGraph } from '../../core/revocation/graph.ts';
import {
  type PlannedSecret,
  type PlanPhase,
  planDigest,
  planRevocation,
  type RevocationPlan,
  revocationPlanSchema,
} from '../../core/revocation/plan.ts';
import type { PlanStore } from '../../core/revocation/ports.ts';
import { SelectionError, type SelectionSources, selectSecrets } from '../../core/revocation/select.ts';
import { assignmentOf, type SecretDefinition } from '../../core/secret/definition.ts';

export interface PlanDependencies extends WithWait {
  readonly definitions: ValidDefinitions;
  readonly sources: SelectionSources;
  readonly plans: PlanStore;
  /** Name of the bucket that the plans are in. */
  readonly bucket: string;
}

/** Request whose plan is meant. Another request with its id has another digest, and a plan of its own. */
type PlanOf = Pick<PlanInput, 'requestId' | 'requestDigest'>;

const folderOf = ({ requestId, requestDigest }: PlanOf): string =>
  `plans/${requestId}/${requestDigest.slice(0, 16)}`;

/** Gives the key of a request's plan. */
export const planKey = (request: PlanOf): string => `${folderOf(request)}/plan.json`;
const manifestKey = (request: PlanOf, step: number): string => `${folderOf(request)}/step-${step}.json`;

/**
 * Plans a revocation of several secrets, and keeps the plan and the manifest of each step. A request has one plan: a step that is
 * tried again takes the one that was kept, whatever has changed since.
 *
 * @throws SelectionError where nothing is found, a plan is not the one that was agreed to, or an owner may not ask for a secret
 */
export async function makePlan(input: PlanInput, dependencies: PlanDependencies): Promise<PlacedPlan> {
  const { definitions, sources, plans, bucket, wait } = dependencies;
  const { request, owner, subject } = input;
  const known = await waitOutThrottles(() => definitions.listValid(), wait);
  const kept =
    (await plans.read(planKey(input))) ??
    (await plans.keepFirst(planKey(input), JSON.stringify(await agreedPlan(input, known, sources))));
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
  const tasks = plan.tasks.length === 0 ? '' : `, ${plan.tasks.length} tasks for people`;
  return `${plan.secrets.length} secrets at ${targets} targets${tasks}, plan ${planDigest(plan).slice(0, 12)}`;
}

/** Makes the plan of a request, and refuses it before it is kept. */
async function agreedPlan(
  input: PlanInput,
  known: KnownDefinitions,
  sources: SelectionSources,
): Promise<RevocationPlan> {
  const plan = await firstPlan(input, known, sources);
  requireAgreed(plan, input.request.plan);
  requireOwn(plan, input.owner);
  return plan;
}

/** Shows the plan that a request would run by, and how many secrets more its chain would take along. */
export async function previewPlan(
  { versions, ...request }: PreviewRequest,
  { definitions, sources, wait }: Pick<PlanDependencies, 'definitions' | 'sources' | 'wait'>,
): Promise<PlanPreview> {
  const known = await waitOutThrottles(() => definitions.listValid(), wait);
  const asked = { ...request, ...(versions !== undefined && { versions: [...versions] }) };
  const plan = await firstPlan({ request: asked }, known, sources);
  const whole = request.chain
    ? plan
    : await firstPlan({ request: { ...asked, chain: true } }, known, sources);
  return {
    digest: planDigest(plan),
    plan,
    beyond: whole.secrets.length - plan.secrets.length,
  };
}

async function firstPlan(
  {
    request,
  }: { readonly request: Pick<RevocationRequest, 'select' | 'mode' | 'chain' | 'versions' | 'asOf'> },
  { definitions, invalid }: KnownDefinitions,
  sources: SelectionSources,
): Promise<RevocationPlan> {
  const { select, versions, asOf } = request;
  const { selected, unknown, reads } = await selectSecrets(select, definitions, sources);
  const chosen = {
    mode: request.mode,
    chain: request.chain === true,
    ...(reads !== undefined && { reads }),
    selected: selected.map((one) => ({ ...one, ...(versions !== undefined && { versions }) })),
  };
  const byHand = unknown.map((secret) => ({
    task: `Revoke ${secret} by hand: Rekey knows no secret of this name here.`,
    via: 'the request',
  }));
  const graph = secretGraph(definitions);
  // What leads further, and to whom, was told when it was first tried; told again, it would have to be done again.
  if (asOf !== undefined) return planRevocation(graph, { ...chosen, leftToPeople: byHand, again: true });
  return planRevocation(graph, {
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
}

function requireAgreed(plan: RevocationPlan, agreed: string | undefined): void {
  if (agreed === undefined || agreed === planDigest(plan)) return;
  throw new SelectionError(
    'PlanChanged',
    `the plan has ${plan.secrets.length} secrets and is another one than the sender agreed to, since the configuration has changed; look at it with rekey revoke … --plan, and send the request again`,
  );
}

/** Refuses a plan that takes along what its sender may not ask for. */
function requireOwn({ secrets }: RevocationPlan, owner: string | undefined): void {
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
