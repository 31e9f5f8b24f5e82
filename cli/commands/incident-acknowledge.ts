import { busName } from '../../core/deployed/names.ts';
import type { Invocation } from '../context.ts';
import { type ExitCode, usageError } from '../errors.ts';
import { openNotifier } from './notify-test.ts';

/** Runs `rekey incident acknowledge`: takes an incident on, so that it is not escalated any further. */
export async function incidentAcknowledge(
  invocation: Invocation,
  incidentId: string,
  { note }: { readonly note?: string },
): Promise<ExitCode> {
  const { cloud, context, output } = invocation;
  if (!/^[0-9a-f]{12}$/.test(incidentId)) {
    throw usageError(
      'UsageInvalid',
      `${JSON.stringify(incidentId.slice(0, 64))} is no id of an incident: those are 12 digits of 0-9 and a-f, as the message has them`,
    );
  }
  const { environment } = await openNotifier(invocation);
  const [{ createEvent }, { arn: actor }] = await Promise.all([
    import('../../core/events/create.ts'),
    cloud.identity(),
  ]);
  const bus = await cloud.bus(environment.facts.eventBus ?? busName(environment.name));
  const { clock, random } = context;
  const event = createEvent(
    { source: 'rekey.cli', environment: environment.name, actor, clock, random },
    'Incident Acknowledged',
    { incidentId, ...(note !== undefined && { note }) },
    { correlationId: incidentId },
  );
  await bus.publish([event]);
  output.document({ environment: environment.name, incidentId, eventId: event.detail.metadata.id });
  output.line(`Acknowledged ${incidentId} as ${actor}; it is not escalated any further.`, 'good');
  return 0;
}
