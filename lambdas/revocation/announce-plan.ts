import type { PlanInput } from '../../core/deployed/revocation-state.ts';
import { plannedRequestId } from '../../core/deployed/revocation-token.ts';
import type { AnyEvent } from '../../core/events/catalogue.ts';
import { createEvent, type EventOrigin } from '../../core/events/create.ts';
import type { EventBus } from '../../core/ports.ts';
import { allTasks } from '../../core/revocation/members.ts';
import {
  type PlannedMember,
  type PlannedTask,
  planDigest,
  type RevocationPlan,
  revocationPlanSchema,
} from '../../core/revocation/plan.ts';
import type { PlanStore } from '../../core/revocation/ports.ts';
import { selectionText } from '../../core/revocation/selection.ts';
import { planKey } from './plan.ts';

export interface AnnounceDependencies {
  readonly plans: Pick<PlanStore, 'read'>;
  readonly bus: EventBus;
  readonly origin: EventOrigin;
}

/**
 * Publishes what a plan holds: the plan itself, the tasks for people, and the start of each secret's revocation. It runs beside
 * the plan: an emergency does not wait for a thousand records.
 */
export async function announcePlan(
  input: PlanInput,
  dependencies: AnnounceDependencies,
): Promise<{ readonly secrets: number; readonly tasks: number }> {
  const { requestId, correlationId, requestedAt, takenAt, request } = input;
  const { bus, origin } = dependencies;
  const plan = await readPlan(input, dependencies.plans);
  if (plan === undefined) return { secrets: 0, tasks: 0 };
  const { secrets, mode } = plan;
  const { reason, incident, drill } = request;
  const links = { correlationId, causationId: requestId };
  const common = { reason, ...(incident !== undefined && { incident }), drill, requestedAt, takenAt };
  await bus.publish([
    ...planEvents(input, plan, origin),
    ...secrets.map(({ arn, name, versions }) => {
      const own = plannedRequestId(requestId, arn);
      return createEvent(
        origin,
        'Secret Revocation Started',
        {
          requestId: own,
          partOf: requestId,
          secretArn: arn,
          secretName: name,
          mode,
          versions: [...(versions ?? [])],
          ...common,
        },
        { ...links, fact: own },
      );
    }),
  ]);
  return { secrets: secrets.length, tasks: allTasks(plan).length };
}

/** Makes the events of a plan itself and of its tasks for people. The same plan gives the same events. */
export function planEvents(
  { requestId, correlationId, requestedAt, takenAt, request }: PlanInput,
  plan: KeptPlan,
  origin: EventOrigin,
): AnyEvent[] {
  const { secrets, mode, digest, elsewhere } = plan;
  const tasks = allTasks(plan);
  const { reason, incident, drill } = request;
  const links = { correlationId, causationId: requestId };
  const common = { reason, ...(incident !== undefined && { incident }), drill, requestedAt, takenAt };
  return [
    createEvent(
      origin,
      'Revocation Planned',
      {
        requestId,
        selection: selectionText(request.select),
        mode,
        secrets: secrets.length,
        tasks: tasks.length,
        planDigest: digest,
        ...(elsewhere !== undefined && { members: elsewhere.members.map(placedPart) }),
        ...common,
      },
      { ...links, fact: requestId },
    ),
    ...taskEvents({ requestId, correlationId }, tasks, origin),
  ];
}

/** Makes the events of tasks for people. */
export const taskEvents = (
  { requestId, correlationId }: Pick<PlanInput, 'requestId' | 'correlationId'>,
  tasks: readonly PlannedTask[],
  origin: EventOrigin,
): AnyEvent[] =>
  tasks.map(({ id, task, via }) =>
    createEvent(
      origin,
      'Revocation Task Opened',
      { requestId, taskId: id, task, via },
      { correlationId, causationId: requestId, fact: `${requestId} ${id}` },
    ),
  );

const placedPart = ({ name, environment, account, region, secrets, unreachable }: PlannedMember) => ({
  member: name,
  environment,
  account,
  region,
  secrets: secrets.length,
  ...(unreachable !== undefined && { unreachable }),
});

/** A plan that was kept, with its digest. */
export type KeptPlan = RevocationPlan & { readonly digest: string };

/** Reads the plan of a request; undefined where there is none. */
export async function readPlan(
  request: Pick<PlanInput, 'requestId' | 'requestDigest'>,
  plans: Pick<PlanStore, 'read'>,
): Promise<KeptPlan | undefined> {
  const text = await plans.read(planKey(request));
  if (text === undefined) return undefined;
  const plan = revocationPlanSchema.parse(JSON.parse(text));
  return { ...plan, digest: planDigest(plan) };
}
