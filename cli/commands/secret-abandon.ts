import { busName } from '../../core/deployed/names.ts';
import type { Invocation } from '../context.ts';
import { confirm, findDefinition, openEnvironment } from '../environment.ts';
import { CliError, type ExitCode } from '../errors.ts';
import { pendingVersion, statusOf } from '../secret-state.ts';

/**
 * Milliseconds for which answers of Secrets Manager may be old. A step of the abandoned rotation that arrives late still sees
 * it as pending. A rotation that begins meanwhile could lose its label to that step.
 */
const settleMs = 3_000;

export interface SecretAbandonOptions {
  readonly yes: boolean;
  /** True to give up even a rotation that may be under way right now. */
  readonly force: boolean;
}

/**
 * Runs `rekey secret rotate --abandon`: takes AWSPENDING off a version that no rotation can finish. Until that is done Secrets
 * Manager refuses every other rotation, and CloudFormation every change of the schedule or the function.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
 */
export async function secretAbandon(
  invocation: Invocation,
  name: string,
  options: SecretAbandonOptions,
): Promise<ExitCode> {
  const { cloud, context, output } = invocation;
  const environment = await openEnvironment(invocation);
  const definition = await findDefinition(await cloud.definitions(environment.name), name, environment.name);
  const { state, description, pendingVersionId } = await statusOf(definition, cloud, context.clock.now());
  const facts = { environment: environment.name, secret: definition.name, arn: definition.arn };
  if (description === undefined) {
    throw new CliError(
      3,
      state === 'missing' ? 'SecretMissing' : 'AccessDenied',
      `${definition.name} cannot be looked at: ${state}`,
    );
  }
  if (pendingVersionId === undefined) {
    output.document({ ...facts, outcome: 'nothing to abandon', versionId: null });
    output.line(`${definition.name} has no unfinished rotation; nothing was changed.`);
    return 0;
  }
  if (state === 'rotating' && !options.force) {
    throw new CliError(
      3,
      'RotationRunning',
      `version ${pendingVersionId} of ${definition.name} is younger than five minutes and its function has logged no failure, so its rotation may be under way; wait until it ends (rekey secret show ${definition.name}), or add --force`,
    );
  }
  output.note('Plan: abandon a rotation', 'strong');
  output.noteTable([
    ['  environment', environment.name],
    ['  secret', definition.name],
    ['  version', `${pendingVersionId} loses AWSPENDING`],
    ['  effect', 'the current version stays what it is; the next rotation makes a new version'],
    [
      '  risk',
      'if the target already took the pending credential, the current one fails until the next rotation: rotate right afterwards, which tries every version that is kept',
    ],
  ]);
  await confirm(invocation, options.yes, `Abandon the rotation of ${definition.name}?`);

  // Recorded first: without a record nothing is done. Said twice it is the same fact, and recorded once.
  const [{ createEvent }, { arn: actor }] = await Promise.all([
    import('../../core/events/create.ts'),
    cloud.identity(),
  ]);
  const event = createEvent(
    {
      source: 'rekey.cli',
      environment: environment.name,
      actor,
      clock: context.clock,
      random: context.random,
    },
    'Secret Rotation Abandoned',
    {
      secretArn: description.arn,
      secretName: definition.name,
      secretType: definition.type,
      strategy: definition.strategy,
      versionId: pendingVersionId,
      forced: state === 'rotating',
    },
    { correlationId: pendingVersionId, fact: `${description.arn} ${pendingVersionId}` },
  );
  await (await cloud.bus(environment.facts.eventBus ?? busName(environment.name))).publish([event]);
  await (await cloud.rotations()).abandon(definition.arn, pendingVersionId);
  output.note('Waiting until every answer of Secrets Manager shows it ...');
  await context.sleep(settleMs);
  const after = pendingVersion(await (await cloud.secrets()).describe(definition.arn));
  if (after !== undefined && after !== pendingVersionId) {
    throw new CliError(
      3,
      'RotationRunning',
      `AWSPENDING of ${definition.name} has moved to version ${after} meanwhile: another rotation has begun`,
    );
  }
  output.document({ ...facts, outcome: 'abandoned', versionId: pendingVersionId });
  output.line(`Abandoned the rotation of ${definition.name} to version ${pendingVersionId}.`, 'good');
  output.note(`Remove the cause, then: rekey secret rotate ${definition.name} --wait`);
  return 0;
}
