import { type Check, look } from '../check.ts';
import {
  auditChecks,
  brakeChecks,
  busChecks,
  deploymentChecks,
  gatherSecrets,
  queueChecks,
  secretChecks,
  workflowChecks,
} from '../checks.ts';
import type { Invocation } from '../context.ts';
import { openEnvironment } from '../environment.ts';
import type { ExitCode } from '../errors.ts';
import { functionChecks, partChecks } from '../function-checks.ts';
import type { Tone } from '../output.ts';

const tones: Readonly<Record<Check['status'], Tone>> = { ok: 'good', warn: 'warn', fail: 'bad', skip: 'dim' };

/** Runs `rekey doctor`: looks at everything that Rekey needs to work, and says how to mend what fails. */
export async function doctor(invocation: Invocation): Promise<ExitCode> {
  const { cloud, context, output } = invocation;
  const { arn } = await cloud.identity();
  const environment = await openEnvironment(invocation);
  const { facts } = environment;
  output.progress(`looking at environment ${environment.name}`);
  const now = context.clock.now();

  const gathered = { definitions: [], statuses: [] } as Awaited<ReturnType<typeof gatherSecrets>>;
  const secrets = look('secrets', async () => {
    Object.assign(gathered, await gatherSecrets(cloud, environment.name, now));
    return secretChecks(gathered.statuses, now);
  });
  const { eventBus, revocationWorkflowArn, auditBucket } = facts;
  const parts = await Promise.all([
    secrets,
    secrets.then(() =>
      look('functions', async () =>
        functionChecks(
          await cloud.functions(),
          gathered.definitions,
          await (await cloud.deployments()).networks(environment.name),
        ),
      ),
    ),
    secrets.then(() =>
      look('brakes', async () => brakeChecks(await cloud.brakes(environment.name), gathered.definitions)),
    ),
    eventBus === undefined ? [] : look('event bus', () => busChecks(cloud, eventBus)),
    revocationWorkflowArn === undefined
      ? []
      : look('revocation workflow', () => workflowChecks(cloud, revocationWorkflowArn)),
    look('parts', () => partChecks(cloud, facts)),
    look('queues', async () => queueChecks(await cloud.queues(), facts)),
    auditBucket === undefined
      ? []
      : secrets.then(() =>
          look('audit log', async () =>
            auditChecks(await cloud.auditObjects(auditBucket), gathered.statuses, now),
          ),
        ),
  ]);
  const checks: readonly Check[] = [
    { name: 'caller', status: 'ok', detail: arn },
    ...deploymentChecks(environment),
    ...parts.flat(),
    { name: 'may rotate', status: 'skip', detail: 'AWS offers no dry run of secretsmanager:RotateSecret' },
  ];
  const failed = checks.filter(({ status }) => status === 'fail').length;
  const warned = checks.filter(({ status }) => status === 'warn').length;
  output.clearProgress();
  output.document({ environment: environment.name, healthy: failed === 0, checks });
  output.table(
    ['CHECK', 'STATUS', 'FOUND'],
    checks.flatMap(({ name, status, detail, advice }) => [
      [name, { text: status, tone: tones[status] }, detail],
      ...(advice === undefined ? [] : [['', '', { text: `-> ${advice}`, tone: 'dim' as const }]]),
    ]),
  );
  output.line();
  if (failed > 0) {
    output.line(`${failed} failed, ${warned} to look at.`, 'bad');
    return 1;
  }
  const unseen = checks.filter(({ status }) => status === 'skip').length;
  output.line(
    `Nothing is broken: ${warned} to look at, ${unseen} not looked at.`,
    warned > 0 ? 'warn' : 'good',
  );
  return 0;
}
