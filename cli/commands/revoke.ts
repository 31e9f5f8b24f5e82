import type { ApprovalFacts } from '../../core/approval/deployed.ts';
import { busName } from '../../core/deployed/names.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { RevocationMode } from '../../core/events/catalogue.ts';
import type { SecretDefinition } from '../../core/secret/definition.ts';
import { near } from '../../core/suggest.ts';
import { isUnverifiable } from '../../rotators/registry.ts';
import { approvalFacts, whoMayAnswer } from '../approvals.ts';
import type { Invocation } from '../context.ts';
import { confirm, type Environment, findDefinition, openEnvironment } from '../environment.ts';
import { CliError, type ExitCode, usageError } from '../errors.ts';
import { explain } from '../failure.ts';
import { followRevocation, type Revocation } from '../revocation-progress.ts';
import {
  actorOf,
  approvalRows,
  isFromService,
  neededApproval,
  proveAuthor,
  publishRequest,
  type RequestOptions,
  requestEvent,
  requestOf,
  requireGlass,
  waitDescription,
} from '../revocation-request.ts';
import { formatDuration, formatRelative } from '../time.ts';

export interface RevokeOptions extends RequestOptions {
  /** Versions that leaked; empty for all that exist. */
  readonly versions: readonly string[];
}

const meaning: Readonly<Record<RevocationMode, string>> = {
  replace: 'a new credential first, then the old one dies: consumers that read the secret again keep working',
  kill: 'the old credential dies first, then a new one is made: consumers fail until they read the secret again',
};

/** Text for types that have no target of Rekey's: both modes leave the old value working. */
const nothingWithinReach =
  'a new value is made, and the old one goes on working wherever it is accepted: Rekey can reach nothing that refuses it, so a person must see to it';

/** The facts about the secret that could be found out before asking. */
interface Target {
  readonly environment: string;
  readonly bus: string;
  readonly workflowArn?: string;
  readonly intakeLogGroup?: string;
  /** Name or ARN by which the request names the secret. */
  readonly secret: string;
  readonly definition?: SecretDefinition;
  readonly versions?: readonly { versionId: string; stages: readonly string[]; created?: Date }[];
  /** The rules on the second person. @default - none is needed, as far as is known */
  readonly approvals?: ApprovalFacts;
}

/** Runs `rekey revoke`: asks for a revocation with an event on the bus and, with `--wait`, follows it to its end. */
export async function revoke(
  invocation: Invocation,
  name: string,
  options: RevokeOptions,
): Promise<ExitCode> {
  const { cloud, output } = invocation;
  const target = await findTarget(invocation, name);
  checkVersions(target, options.versions);
  requireGlass(target, options);
  showPlan(invocation, target, options);
  await confirm(
    invocation,
    options.yes,
    `${options.mode === 'kill' ? 'Kill' : 'Replace'} ${options.versions.length === 0 ? 'every version' : `${options.versions.length} version(s)`} of ${target.secret} in ${target.environment}?`,
  );

  const actor = await actorOf(invocation);
  const event = await requestEvent(invocation, target.environment, actor, {
    select: { secret: target.secret },
    ...requestOf(options),
    ...(options.versions.length > 0 && { versions: [...options.versions] }),
  });
  const { id, time } = event.detail.metadata;
  const approval = neededApproval(target.approvals, options);
  if (approval !== undefined) await proveAuthor(invocation, target.environment, approval, event);
  await publishRequest(await cloud.bus(target.bus), event, target.definition?.owner);
  const facts = {
    environment: target.environment,
    secret: target.secret,
    requestId: id,
    requestedAt: time,
    mode: options.mode,
    drill: options.drill,
    ...(approval !== undefined && {
      approval: { approvers: approval.approvers, minutes: approval.minutes, onExpiry: approval.onExpiry },
    }),
  };
  if (!options.wait) {
    output.document({
      ...facts,
      outcome: 'requested',
      timings: null,
      newVersionId: null,
      sessionsEnded: null,
      note: null,
      error: null,
    });
    output.line(`Requested the revocation of ${target.secret}: ${id}`);
    output.note(
      approval === undefined
        ? 'It goes on by itself; --wait follows it, rekey audit tail --follow shows what happens.'
        : `It waits for ${whoMayAnswer(approval.approvers)}, for ${approval.minutes} minutes: rekey approval approve ${id}`,
      approval === undefined ? 'dim' : 'warn',
    );
    return 0;
  }
  if (target.workflowArn === undefined) {
    throw new CliError(
      3,
      'DeploymentIncomplete',
      `the revocation ${id} was requested, but cannot be followed: environment ${target.environment} does not say which workflow does it`,
    );
  }
  const result = await followRevocation(invocation, {
    workflowArn: target.workflowArn,
    requestId: id,
    requestedAt: new Date(time),
    timeoutMs: options.timeoutMs + (approval?.minutes ?? 0) * 60_000,
    ...(approval !== undefined && {
      describe: waitDescription(invocation, target.environment, approval, id),
    }),
    ...(target.intakeLogGroup !== undefined && { intakeLogGroup: target.intakeLogGroup }),
  });
  output.clearProgress();
  output.document({
    ...facts,
    outcome: result.outcome,
    timings: {
      startedMs: result.startedMs ?? null,
      refusedMs: result.refusedMs ?? null,
      completedMs: result.completedMs ?? null,
    },
    newVersionId: result.newVersionId ?? null,
    sessionsEnded: result.sessionsEnded ?? null,
    note: result.note ?? null,
    error: result.error ?? null,
  });
  report(invocation, target, id, result);
  return result.outcome === 'succeeded' ? 0 : 1;
}

async function findTarget(invocation: Invocation, name: string): Promise<Target> {
  let environment: Environment;
  let definition: SecretDefinition;
  try {
    environment = await openEnvironment(invocation);
    const store = await invocation.cloud.definitions(environment.name);
    definition = await findDefinition(store, name, environment.name);
  } catch (error) {
    return blindTarget(invocation, name, error);
  }
  const { eventBus, revocationWorkflowArn, revocationIntakeLogGroup } = environment.facts;
  const approvals = await approvalFacts(environment);
  return {
    environment: environment.name,
    bus: eventBus ?? busName(environment.name),
    secret: definition.name,
    definition,
    ...(revocationWorkflowArn !== undefined && { workflowArn: revocationWorkflowArn }),
    ...(revocationIntakeLogGroup !== undefined && { intakeLogGroup: revocationIntakeLogGroup }),
    ...(approvals !== undefined && { approvals }),
    ...(await versionsOf(invocation, definition)),
  };
}

/**
 * Makes a target without SSM, for an emergency goes on while SSM is away. With the environment named, the request goes out
 * and the intake checks it.
 */
function blindTarget({ environment, output }: Invocation, name: string, error: unknown): Target {
  if (environment === undefined || !isFromService(error)) throw error;
  output.note(`The secret's definition could not be read: ${explain(error).message}`, 'warn');
  output.note('The request can be sent all the same; what it names is checked when it arrives.', 'warn');
  return { environment, bus: busName(environment), secret: name };
}

/**
 * Reads the versions for the plan, which shows none while they are out of reach. Responders may not look at secrets, and
 * Secrets Manager may be away.
 */
async function versionsOf(
  { cloud, output }: Invocation,
  definition: SecretDefinition,
): Promise<Pick<Target, 'versions'>> {
  try {
    return { versions: await (await cloud.secrets()).listVersions(definition.arn) };
  } catch (error) {
    if (error instanceof RekeyError && error.code === 'SecretAccessDenied') return {};
    if (!isFromService(error)) throw error;
    output.note(
      `The versions could not be listed, and the plan goes without: ${explain(error).message}`,
      'warn',
    );
    return {};
  }
}

function checkVersions({ versions, secret }: Target, wanted: readonly string[]): void {
  const known = versions?.map(({ versionId }) => versionId);
  const unknown = wanted.find((versionId) => known !== undefined && !known.includes(versionId));
  if (unknown !== undefined && known !== undefined) {
    const meant = near(unknown, known, 1);
    throw usageError(
      'VersionsNotKept',
      `${secret} has no version ${JSON.stringify(unknown.slice(0, 64))}; ${meant.length > 0 ? `did you mean ${meant[0]}?` : `it has ${known.join(', ')}`}`,
    );
  }
}

function showPlan({ output, context }: Invocation, target: Target, options: RevokeOptions): void {
  const now = context.clock.now();
  output.note(options.drill ? 'Plan: revoke a secret (drill)' : 'Plan: revoke a secret', 'strong');
  const chosen = target.versions?.filter(
    ({ versionId }) => options.versions.length === 0 || options.versions.includes(versionId),
  );
  output.noteTable([
    ['  environment', target.environment],
    ['  secret', target.secret],
    ['  mode', { text: options.mode, tone: options.mode === 'kill' ? 'bad' : 'warn' }],
    ['  ', isUnverifiable(target.definition?.type ?? '') ? nothingWithinReach : meaning[options.mode]],
    ['  reason', options.reason],
    ...(options.incident === undefined ? [] : [['  incident', options.incident]]),
    ['  consumers', consumersOf(target)],
    ...approvalRows(target.approvals, options),
    ...(chosen === undefined
      ? [['  versions', options.versions.join(', ') || 'all that exist (this caller may not list them)']]
      : chosen.map(({ versionId, stages, created }, index) => [
          index === 0 ? '  versions' : '',
          `${versionId}  ${stages.join(', ') || 'no label'}, ${formatRelative(created, now)}`,
        ])),
  ]);
}

function consumersOf({ definition }: Target): string {
  return definition === undefined ? 'not known' : definition.consumers.join(', ') || 'none declared';
}

function report(
  { output }: Invocation,
  { secret, definition }: Target,
  id: string,
  result: Revocation,
): void {
  if (result.outcome === 'succeeded') {
    output.line(`Revoked ${secret}: the old credential is refused at the target.`, 'good');
  } else if (result.outcome === 'unproven') {
    output.line(
      `Replaced ${secret}, not proven: Rekey can reach nothing that accepts or refuses the old credential, which may still work.`,
      'warn',
    );
    output.note(
      `Make every consumer refuse the old value, and see it refused${result.note === undefined ? '' : `: ${result.note}`}.`,
      'warn',
    );
  } else if (result.outcome === 'rejected') {
    output.line(
      `The revocation ${id} of ${secret} was rejected: ${result.error?.code}: ${result.error?.message}`,
      'bad',
    );
    output.note('Nothing was done: the credential still works. Mend the request and send it again.', 'bad');
  } else if (result.outcome === 'not started') {
    output.line(`The revocation ${id} of ${secret} was not taken up.`, 'bad');
    output.note(
      'Either it was rejected (rekey audit tail --since 10m says why), or the intake does not work (rekey doctor).',
    );
  } else if (result.outcome === 'unfinished') {
    output.line(`The revocation ${id} of ${secret} has not ended.`, 'bad');
    output.note('It goes on by itself; rekey audit tail --follow shows what happens.');
  } else {
    output.line(
      `The revocation ${id} of ${secret} failed${result.error === undefined ? '' : `: ${result.error.code}: ${result.error.message}`}.`,
      'bad',
    );
    output.note(
      'If the credential still works, cut it off at the target by hand, then ask for the revocation again.',
      'bad',
    );
  }
  const after = (ms: number | undefined) =>
    ms === undefined ? undefined : `${formatDuration(ms)} after the request`;
  const rows = [
    ['  taken up', after(result.startedMs)],
    ['  refused', after(result.refusedMs)],
    ['  completed', after(result.completedMs)],
    ['  sessions ended', result.sessionsEnded?.toString()],
    ['  new version', result.newVersionId],
    [
      '  consumers',
      ['succeeded', 'unproven'].includes(result.outcome)
        ? definition?.consumers.join(', ') || undefined
        : undefined,
    ],
  ].filter((row): row is [string, string] => row[1] !== undefined);
  output.table([], rows);
  if (result.stages.length > 0) {
    output.line();
    output.table(
      ['STAGE', 'TOOK'],
      result.stages.map(({ name, entered, left }) => [
        name,
        left === undefined ? '-' : formatDuration(left.getTime() - entered.getTime()),
      ]),
    );
  }
}
