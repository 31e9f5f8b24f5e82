import { busName } from '../../core/deployed/names.ts';
import type { Invocation } from '../context.ts';
import { openEnvironment } from '../environment.ts';
import type { ExitCode } from '../errors.ts';
import { actorOf } from '../revocation-request.ts';

/**
 * Runs `rekey incident done`: records that a person has done what a revocation left to people. The record is a claim of whoever
 * says so, and closes the task.
 */
export async function incidentDone(
  invocation: Invocation,
  requestId: string,
  taskId: string,
  { note }: { readonly note: string },
): Promise<ExitCode> {
  const { cloud, context, output } = invocation;
  const { name, facts } = await openEnvironment(invocation);
  const claimedActor = (await actorOf(invocation)).slice(0, 512);
  const { createEvent } = await import('../../core/events/create.ts');
  const event = createEvent(
    {
      source: 'rekey.cli',
      environment: name,
      actor: claimedActor,
      clock: context.clock,
      random: context.random,
    },
    'Revocation Task Done',
    { requestId, taskId, note, claimedActor },
    { correlationId: requestId, causationId: requestId, fact: `${requestId} ${taskId}` },
  );
  await (await cloud.bus(facts.eventBus ?? busName(name))).publish([event]);
  output.document({ environment: name, requestId, taskId, done: true });
  output.line(`Recorded: task ${taskId} of ${requestId} is done.`, 'good');
  return 0;
}
