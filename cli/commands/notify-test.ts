import { busName } from '../../core/deployed/names.ts';
import { type NotifierSettings, notifierSettingsSchema } from '../../core/notification/settings.ts';
import type { Invocation } from '../context.ts';
import { type Environment, openEnvironment } from '../environment.ts';
import { CliError, type ExitCode, usageError } from '../errors.ts';

/** Opens an environment, and reads the channels of its notifier. @throws CliError `DeploymentIncomplete` */
export async function openNotifier(
  invocation: Invocation,
): Promise<{ readonly environment: Environment; readonly channels: NotifierSettings['channels'] }> {
  const environment = await openEnvironment(invocation);
  const { notifications } = environment.facts;
  if (notifications === undefined) {
    throw new CliError(
      3,
      'DeploymentIncomplete',
      `${environment.name} has no notifier: name channels in notifications.channels of the configuration, and deploy`,
    );
  }
  let settings: NotifierSettings | undefined;
  try {
    settings = notifierSettingsSchema.safeParse(JSON.parse(notifications)).data;
  } catch {
    settings = undefined;
  }
  if (settings === undefined) {
    throw new CliError(
      3,
      'DeploymentIncomplete',
      `the settings of the notifier of ${environment.name} cannot be read; deploy again`,
    );
  }
  return { environment, channels: settings.channels };
}

/** Runs `rekey notify test`: has the deployed notifier send a message of no consequence. */
export async function notifyTest(
  invocation: Invocation,
  { channels: wanted }: { readonly channels: readonly string[] },
): Promise<ExitCode> {
  const { cloud, context, output } = invocation;
  const { environment, channels } = await openNotifier(invocation);
  const names = Object.keys(channels);
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw usageError(
      'UsageInvalid',
      `--channel ${JSON.stringify(unknown.slice(0, 64))} is no channel of ${environment.name}; there are: ${names.join(', ')}`,
    );
  }
  const [{ createEvent }, { arn: actor }] = await Promise.all([
    import('../../core/events/create.ts'),
    cloud.identity(),
  ]);
  const bus = await cloud.bus(environment.facts.eventBus ?? busName(environment.name));
  const { clock, random } = context;
  const told = wanted.length > 0 ? wanted : names;
  const event = createEvent(
    { source: 'rekey.cli', environment: environment.name, actor, clock, random },
    'Notification Test Requested',
    wanted.length > 0 ? { channels: [...wanted] } : {},
    { correlationId: `notify-test-${clock.now().toISOString()}` },
  );
  await bus.publish([event]);
  const { id } = event.detail.metadata;
  output.document({ environment: environment.name, eventId: id, channels: told });
  output.line(`Asked for a test of ${told.join(', ')}: ${id}`, 'good');
  output.line(
    'It arrives within a minute, outside of quiet hours. If not, the notifier’s log and the runbook notification-failed say why.',
  );
  return 0;
}
