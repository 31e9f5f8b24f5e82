import type { AuditRecord } from '../../core/audit/format.ts';
import { RecordedEvent } from '../../core/audit/recorded-event.ts';
import { pausedUntil } from '../../core/deployed/pause.ts';
import type { SecretReader } from '../../core/operator-ports.ts';
import type { SecretDefinition } from '../../core/secret/definition.ts';
import { stages, versionWith } from '../../core/secret/secret.ts';
import { AuditFollower } from '../audit-tail-reader.ts';
import type { Invocation } from '../context.ts';
import { confirm, type Environment, fact, findDefinition, openEnvironment } from '../environment.ts';
import { CliError, type ExitCode } from '../errors.ts';
import { explain } from '../failure.ts';
import { type RotationFailure, RotationLog } from '../function-log.ts';
import { pendingVersion } from '../secret-state.ts';
import { formatDuration } from '../time.ts';

export interface SecretRotateOptions {
  readonly wait: boolean;
  readonly yes: boolean;
  /** Longest wait, in milliseconds. */
  readonly timeoutMs: number;
}

type Outcome =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly failure: RotationFailure }
  | { readonly kind: 'unfinished' };

/** Looks for a failure of the rotation to this version, which began at this time. */
type FailureWatch = (versionId: string, begun: Date) => Promise<RotationFailure | undefined>;

const pollMs = 1_000;

/** Runs `rekey secret rotate`: starts a rotation and, with `--wait`, follows it to its end. */
export async function secretRotate(
  invocation: Invocation,
  name: string,
  options: SecretRotateOptions,
): Promise<ExitCode> {
  const { cloud, context, output } = invocation;
  const environment = await openEnvironment(invocation);
  const [store, secrets] = await Promise.all([cloud.definitions(environment.name), cloud.secrets()]);
  const definition = await findDefinition(store, name, environment.name);
  const before = await secrets.describe(definition.arn);
  if (!before.rotationEnabled) {
    throw new CliError(
      3,
      'RotationDisabled',
      `rotation of ${definition.name} is switched off in Secrets Manager; deploy the environment again to switch it on`,
    );
  }
  const paused = pausedUntil(before.tags, context.clock.now());
  if (paused !== undefined) {
    throw new CliError(
      3,
      'RotationPaused',
      `rotations of ${definition.name} are paused until ${paused.toISOString()}; rekey resume ${definition.name} ends that, and rekey revoke needs no end of it`,
    );
  }
  const leftover = pendingVersion(before);
  plan(invocation, environment, definition, leftover);
  await confirm(invocation, options.yes, `Rotate ${definition.name} now?`);

  const failures = options.wait
    ? await failureWatch(invocation, environment, definition, leftover)
    : undefined;
  const begun = context.clock.now();
  const { v4 } = await import('uuid');
  const token = v4({ random: context.random.bytes(16) });
  const start = await (await cloud.rotations()).rotate(definition.arn, token);
  const versionId =
    start === 'started' ? token : await unfinishedVersion(secrets, definition.arn, context.sleep);
  if (versionId === undefined) {
    throw new CliError(
      3,
      'RotationRefused',
      `Secrets Manager did not start a rotation of ${definition.name}: an earlier one was unfinished and has ended by now; try again`,
    );
  }
  const resumed = start === 'unfinished';
  const facts = {
    environment: environment.name,
    secret: definition.name,
    arn: definition.arn,
    versionId,
    resumed,
  };
  if (resumed) {
    output.note(
      `An earlier rotation is unfinished; Secrets Manager retries its version ${versionId}.`,
      'warn',
    );
  }
  if (!options.wait) {
    output.document({ ...facts, outcome: 'started', durationMs: null, failure: null });
    output.line(`Rotation of ${definition.name} to version ${versionId} has started.`);
    output.note('It goes on by itself; --wait follows it, rekey secret show tells how it stands.', 'dim');
    return 0;
  }

  const outcome = await follow(invocation, { definition, secrets, versionId, begun, failures, options });
  output.clearProgress();
  const durationMs = context.clock.now().getTime() - begun.getTime();
  const failure = outcome.kind === 'failed' ? outcome.failure : null;
  output.document({ ...facts, outcome: outcome.kind, durationMs, failure });
  if (outcome.kind === 'succeeded') {
    output.line(
      `Rotated ${definition.name} to version ${versionId} in ${formatDuration(durationMs)}.`,
      'good',
    );
    return 0;
  }
  if (failure !== null) {
    output.line(
      `Rotation of ${definition.name} failed in step ${failure.step}: ${failure.code}: ${failure.message}`,
      'bad',
    );
    output.note(
      `The current version still is what it was. Secrets Manager retries the rotation by itself, at a time of its choosing; ${
        failure.retryable
          ? 'this cause may pass without anybody doing anything.'
          : 'that fails again until the cause is removed.'
      } Running this command again retries it at once.`,
    );
  } else {
    output.line(`Rotation of ${definition.name} has not ended after ${formatDuration(durationMs)}.`, 'bad');
    output.note(
      'It goes on by itself; rekey secret show tells how it stands, rekey audit tail which step failed.',
    );
  }
  return 1;
}

/** Finds the version of the rotation that Secrets Manager calls unfinished; its labels may show it a moment later. */
async function unfinishedVersion(
  secrets: SecretReader,
  arn: string,
  sleep: Invocation['context']['sleep'],
): Promise<string | undefined> {
  for (let looks = 3; ; looks -= 1) {
    const versionId = pendingVersion(await secrets.describe(arn));
    if (versionId !== undefined || looks === 1) return versionId;
    await sleep(pollMs);
  }
}

function plan(
  { output }: Invocation,
  environment: Environment,
  definition: SecretDefinition,
  leftover: string | undefined,
): void {
  output.note('Plan: rotate a secret', 'strong');
  output.noteTable([
    ['  environment', environment.name],
    ['  secret', definition.name],
    ['  type', `${definition.type}, ${definition.strategy}`],
    ['  consumers', definition.consumers.join(', ') || 'none declared'],
    [
      '  effect',
      definition.strategy === 'single-user'
        ? 'the password changes at once; consumers that hold the old one must read the secret again'
        : 'the old credential stays valid beside the new one until the next rotation',
    ],
    ...(leftover === undefined
      ? []
      : [['  unfinished', `version ${leftover} of an earlier rotation; it is retried`]]),
  ]);
}

/**
 * Opens a watch on failures: the function's log, or the audit log, whichever is readable. Secrets Manager does not tell of
 * failures.
 */
async function failureWatch(
  { cloud, context, output }: Invocation,
  environment: Environment,
  definition: SecretDefinition,
  leftover: string | undefined,
): Promise<FailureWatch | undefined> {
  try {
    const log = await RotationLog.open(cloud, definition);
    await log.skip(leftover, context.clock.now());
    // How the rotation stands is seen without the log; one look that fails is made up for by the next.
    return (versionId, begun) => log.failure(versionId, begun).catch(() => undefined);
  } catch (noLog) {
    try {
      const objects = await cloud.auditObjects(fact(environment, 'auditBucket'));
      const records = await AuditFollower.fromEnd(objects);
      return async (versionId) => failureOf(await records.next(), versionId);
    } catch (noRecords) {
      output.note(
        `Neither the function's log (${explain(noLog).code}) nor the audit log (${explain(noRecords).code}) is readable, so a failure will not be seen before the time limit.`,
        'warn',
      );
      return undefined;
    }
  }
}

interface Following {
  readonly definition: SecretDefinition;
  readonly secrets: SecretReader;
  readonly versionId: string;
  readonly begun: Date;
  readonly failures: FailureWatch | undefined;
  readonly options: SecretRotateOptions;
}

async function follow(
  { context, output }: Invocation,
  { definition, secrets, versionId, begun, failures, options }: Following,
): Promise<Outcome> {
  for (;;) {
    const description = await secrets.describe(definition.arn);
    const elapsed = context.clock.now().getTime() - begun.getTime();
    if (versionWith(description, stages.current) === versionId) {
      return { kind: 'succeeded' };
    }
    const failure = await failures?.(versionId, begun);
    if (failure !== undefined) {
      return { kind: 'failed', failure };
    }
    if (elapsed >= options.timeoutMs || context.signal.aborted) {
      return { kind: 'unfinished' };
    }
    const stage = description.versions[versionId]?.includes(stages.pending)
      ? 'new version is pending'
      : 'waiting for the function';
    output.progress(`rotating ${definition.name}: ${stage}, ${formatDuration(elapsed)}`);
    await context.sleep(pollMs);
  }
}

function failureOf(records: readonly AuditRecord[], versionId: string): RotationFailure | undefined {
  return records
    .map(({ event }) => new RecordedEvent(event))
    .filter((recorded) => recorded.detailType === 'Secret Rotation Failed')
    .filter((recorded) => recorded.text('versionId') === versionId)
    .flatMap((recorded) => {
      const step = recorded.text('step');
      return step === undefined || recorded.error === undefined ? [] : [{ step, ...recorded.error }];
    })
    .at(-1);
}
