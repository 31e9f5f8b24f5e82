import type { AuditRecord } from '../core/audit/format.ts';
import { RecordedEvent } from '../core/audit/recorded-event.ts';
import { deploymentParameters, deploymentPath } from '../core/deployed/names.ts';
import { pausedUntil } from '../core/deployed/pause.ts';
import { endingSince } from '../core/lifecycle/marks.ts';
import type { AuditObjects, Brakes, Cloud, DeploymentFacts, Queues } from '../core/operator-ports.ts';
import type { SecretDefinition } from '../core/secret/definition.ts';
import { keyBefore, lastObject, recordsAfter } from './audit-tail-reader.ts';
import { engagedBrakes } from './brakes.ts';
import { type Check, fail, look, ok, warn } from './check.ts';
import type { Environment } from './environment.ts';
import { deadLetterCheck } from './function-checks.ts';
import { type SecretStatus, statusesOf } from './secret-state.ts';

import { formatDuration, formatRelative } from './time.ts';

/** Facts that a deployment has only where its configuration asks for it. */
const optionalFacts: readonly string[] = [
  'approvals',
  'coordination',
  'fingerprintLookupFunction',
  'notifications',
  'parts',
  'quarantine',
  'signalUrl',
] satisfies readonly (keyof DeploymentFacts)[];

export function deploymentChecks({ name, facts }: Environment): readonly Check[] {
  const known = Object.keys(deploymentParameters) as (keyof DeploymentFacts &
    keyof typeof deploymentParameters)[];
  const keys = known.filter((key) => !optionalFacts.includes(key) || facts[key] !== undefined);
  const missing = keys.filter((key) => facts[key] === undefined).map((key) => deploymentParameters[key]);
  return missing.length === 0
    ? [ok('deployment', `${keys.length} facts below ${deploymentPath(name)}`)]
    : [fail('deployment', `not in SSM: ${missing.join(', ')}`, 'deploy every stack of the environment')];
}

/** Reports overdue rotations, leftovers of failed ones, and secrets that are gone; healthy ones are only counted. */
export function secretChecks(statuses: readonly SecretStatus[], now: Date): readonly Check[] {
  const ended = statuses.filter(({ state }) => state === 'ended').length;
  const healthy = statuses.filter(({ state }) => state === 'ok' || state === 'rotating').length;
  const found = statuses.flatMap(({ definition: { name, arn }, state, description, pendingVersionId }) => {
    const label = `secret ${name}`;
    const { replicaOf } = description ?? {};
    if (replicaOf !== undefined) {
      return [
        fail(
          label,
          `is a replica of the secret in ${replicaOf}; a secret rotates in its primary region alone`,
          `take it out of this environment, and adopt it in one that is deployed in ${replicaOf}`,
        ),
      ];
    }
    switch (state) {
      case 'rotation failed':
        return [
          fail(
            label,
            `rotation failed, version ${pendingVersionId} is left over`,
            `rekey audit tail --since 7d --secret ${name} names the step; then rekey secret rotate ${name}`,
          ),
        ];
      case 'overdue':
        return [
          fail(
            label,
            `rotation was due ${formatRelative(description?.nextRotation, now)}`,
            `rekey secret rotate ${name}`,
          ),
        ];
      case 'missing':
        return [
          fail(
            label,
            `Secrets Manager has no ${arn}`,
            'restore the secret if it was deleted, or take it out of the configuration',
          ),
        ];
      case 'not rotated yet':
        return [
          warn(
            label,
            'was created and has not rotated: its first value is no credential yet',
            `rekey secret rotate ${name}`,
          ),
        ];
      case 'paused': {
        const until = pausedUntil(description?.tags ?? {}, now)?.toISOString();
        return [warn(label, `rotations are paused until ${until}`, `rekey resume ${name}`)];
      }
      case 'ended': {
        const since = endingSince(description?.tags ?? {});
        return since === undefined
          ? []
          : [
              fail(
                label,
                `its last day, ${since}, is over, and its target may still accept it`,
                'look at the log of the function that looks after the life of secrets; its next run tries again',
              ),
            ];
      }
      case 'rotation off':
        return [warn(label, 'rotation is switched off', 'deploy the environment again')];
      default:
        return [];
    }
  });
  const unreadable = statuses.filter(({ state }) => state === 'not readable').length;
  const unfinished = statuses.filter(({ pendingVersionId }) => pendingVersionId !== undefined);
  const names = unfinished.map(({ definition }) => definition.name);
  const blocked =
    unfinished.length === 0
      ? []
      : [
          warn(
            'next deploy',
            `a deploy that changes the schedule or the function of ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''} would be refused: the rotation is unfinished`,
            `let it finish first, or give it up: rekey secret rotate ${names[0]} --abandon`,
          ),
        ];
  return [
    ...blocked,
    ...(unreadable === 0 || unreadable < statuses.length
      ? [
          ok(
            'rotations',
            `${healthy} of ${statuses.length - ended} secrets are in order${ended === 0 ? '' : `, ${ended} more ended on their last day`}`,
          ),
        ]
      : []),
    ...(unreadable === 0
      ? []
      : [
          {
            name: 'rotations',
            status: 'skip' as const,
            detail: `not permitted to this caller: secretsmanager:DescribeSecret on ${unreadable} of ${statuses.length} secrets`,
          },
        ]),
    ...found,
  ];
}

/** Checks that rotations may begin: no function has its brake engaged. */
export async function brakeChecks(
  brakes: Brakes,
  definitions: readonly SecretDefinition[],
): Promise<readonly Check[]> {
  const engaged = await engagedBrakes(brakes, definitions);
  return engaged.length === 0
    ? [ok('brakes', 'no rotation function has its brake engaged')]
    : engaged.map(({ since, secrets, state: { functionName, failed } }) =>
        fail(
          'brakes',
          `no rotation of ${functionName} begins since ${since} (${secrets.length} secrets): in a row failed ${failed.join(', ')}`,
          `remove the cause, then rekey resume ${secrets[0]?.name} --reason <why>, or deploy other code`,
        ),
      );
}

/** Checks for messages that wait in the audit queue, and for those that nobody could handle. */
export async function queueChecks(queues: Queues, facts: DeploymentFacts): Promise<readonly Check[]> {
  const named = [
    {
      name: 'audit queue',
      url: facts.auditQueueUrl,
      dead: false,
      advice: 'look at the writer’s log group and its throttles',
    },
    {
      name: 'audit dead letters',
      url: facts.auditDeadLetterQueueUrl,
      dead: true,
      advice: 'records are missing from the log: remove the cause, then redrive this queue',
    },
    {
      name: 'revocation dead letters',
      url: facts.revocationDeadLetterQueueUrl,
      dead: true,
      advice: 'repeat each request with rekey revoke, remove the cause, then empty this queue',
    },
  ];
  const checks = await Promise.all(
    named.map(async ({ name, url, dead, advice }) =>
      url === undefined
        ? []
        : look(name, async () => {
            const found = await queues.depth(url);
            if (dead) return [deadLetterCheck(name, found, advice)];
            const { visible, inFlight, delayed } = found;
            const depth = `${visible} waiting, ${inFlight} in flight${delayed > 0 ? `, ${delayed} delayed` : ''}`;
            return [visible > 1_000 ? warn(name, depth, advice) : ok(name, depth)];
          }),
    ),
  );
  return checks.flat();
}

/** Checks whether the bus hands events on, and whether this caller may ask for a revocation. */
export async function busChecks(cloud: Cloud, bus: string): Promise<readonly Check[]> {
  const rules = await cloud.rules();
  const [delivery, permission] = await Promise.all([
    look('event bus', async () => {
      const list = await rules.list(bus);
      if (list === undefined) {
        // PutEvents goes on taking events for it, so nothing else would tell.
        return [
          fail(
            'event bus',
            `there is no bus ${bus}: EventBridge takes the events for it and loses them, so nothing is recorded or revoked`,
            'deploy the environment again, then rekey audit verify: what happened meanwhile is not in the log',
          ),
        ];
      }
      const disabled = list.filter(({ enabled }) => !enabled).map(({ name }) => name);
      if (list.length === 0) {
        return [
          fail(
            'event bus',
            `${bus} has no rules, so nothing is recorded or revoked`,
            'deploy the environment again',
          ),
        ];
      }
      return disabled.length > 0
        ? [
            fail(
              'event bus',
              `rules are disabled: ${disabled.join(', ')}`,
              `aws events enable-rule --event-bus-name ${bus} --name <rule>`,
            ),
          ]
        : [ok('event bus', `${bus}: ${list.length} rules enabled`)];
    }),
    look('may revoke', async () => {
      await rules.tryPublish(bus, 'rekey.cli', 'Secret Revocation Requested');
      return [ok('may revoke', `this caller may put revocation requests on ${bus}`)];
    }),
  ]);
  return [...delivery, ...permission];
}

export async function workflowChecks(cloud: Cloud, arn: string): Promise<readonly Check[]> {
  return (await (await cloud.workflows()).active(arn))
    ? [ok('revocation workflow', 'active')]
    : [fail('revocation workflow', `${arn} is not active`, 'deploy the environment again')];
}

const day = 86_400_000;
/** Milliseconds after which a record that is missing is lost; the bus, the queue and the writer need seconds. */
const recordingMs = 5 * 60_000;

/** Checks how old the last record is, whether it covers the last rotation, and what failed in the last day. */
export async function auditChecks(
  objects: AuditObjects,
  statuses: readonly SecretStatus[],
  now: Date,
): Promise<readonly Check[]> {
  const last = await lastObject(objects);
  const rotated = statuses
    .map(({ description }) => description?.lastRotated?.getTime() ?? 0)
    .reduce((latest, time) => Math.max(latest, time), 0);
  const written = last?.written.getTime() ?? 0;
  const advice = 'look at the audit queue, its dead letters and the writer’s log group; rekey audit verify';
  const writer =
    rotated > 0 && rotated - written > recordingMs && now.getTime() - rotated > recordingMs
      ? fail(
          'audit writer',
          `a secret was rotated ${formatRelative(new Date(rotated), now)}, the last record is ${last === undefined ? 'none' : `from ${formatRelative(last.written, now)}`}`,
          advice,
        )
      : last === undefined
        ? warn('audit writer', 'the log holds no record yet', 'rotate a secret, then look again')
        : ok('audit writer', `last record ${formatRelative(last.written, now)}`);
  return last === undefined
    ? [writer]
    : [writer, ...(await recentFailures(objects, new Date(now.getTime() - day)))];
}

async function recentFailures(objects: AuditObjects, since: Date): Promise<readonly Check[]> {
  const open = new Map<string, AuditRecord>();
  let unreadable = 0;
  for await (const read of recordsAfter(objects, await keyBefore(objects, since))) {
    if (read.kind === 'unreadable') {
      unreadable += 1;
      continue;
    }
    const { event } = read.record;
    const recorded = new RecordedEvent(event);
    const key = `${recorded.text(event.detailType.includes('Revocation') ? 'requestId' : 'secretArn')}`;
    if (/ (Failed|Rejected)$/.test(event.detailType)) {
      open.set(key, read.record);
    } else if (/ (Succeeded|Unproven)$/.test(event.detailType)) {
      open.delete(key);
    }
  }
  const found = [...open.values()].map(({ sequence, recordedAt, event }) => {
    const recorded = new RecordedEvent(event);
    const named = (word: string, name: string) => {
      const value = recorded.text(name);
      return value === undefined ? '' : ` ${word} ${value}`;
    };
    const { error } = recorded;
    const why = error === undefined ? 'it does not say why' : `${error.code}: ${error.message}`;
    return warn(
      'last day',
      `${event.detailType}${named('of', 'secretName')}${named('in', 'step')} (record ${sequence}, ${recordedAt}): ${why}`,
      'remove the cause that the code names; nothing has succeeded since',
    );
  });
  return [
    ...(unreadable === 0
      ? []
      : [
          fail(
            'audit log',
            `${unreadable} records of the last day are not as they were written`,
            'rekey audit verify',
          ),
        ]),
    ...(found.length === 0 ? [ok('last day', `no failure is open (${formatDuration(day)})`)] : found),
  ];
}

/** Reads the definition and the state of each secret. */
export async function gatherSecrets(cloud: Cloud, environment: string, now: Date) {
  const definitions = await (await cloud.definitions(environment)).list();
  return { definitions, statuses: await statusesOf(definitions, cloud, now) };
}
