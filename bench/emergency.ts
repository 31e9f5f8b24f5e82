import { parseArgs } from 'node:util';
import type { RevocationMode } from '../core/events/catalogue.ts';
import { Cleanup } from '../local/process/cleanup.ts';
import { terminal } from '../local/tour/terminal.ts';
import { type Asking, type EmergencyFigures, revokeAtOnce } from './scale/emergency.ts';
import { deployEnvironment } from './scale/environment.ts';

const usage = `npm run bench:emergency -- [options]

Deploys one environment on the local cloud, revokes all of its secrets at once while few functions run at a time, tries
every leaked and every new password, and prints what came of it. The exit code is 1 unless each leaked password is refused,
each new one is accepted, and each request has one outcome in the audit log.

  --secrets <n,…>      how many secrets, one environment after the other; default 300
  --one-event          one request for everything in the environment, which is planned, instead of one for each secret
  --kinds <1|7>        of one kind, or of seven; default 1
  --invocations <n,…>  how many functions run at a time, one emergency after the other; default 10,32
  --mode <kill|replace>  default kill
  --calls <n>          calls of each action of Secrets Manager, Step Functions and KMS taken each second; default: all
  --json               figures as JSON
  --help
`;

const { values } = parseArgs({
  options: {
    secrets: { type: 'string', default: '300' },
    'one-event': { type: 'boolean', default: false },
    kinds: { type: 'string', default: '1' },
    invocations: { type: 'string', default: '10,32' },
    mode: { type: 'string', default: 'kill' },
    calls: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new Error(`--${name} ${text}: must be a whole number from ${least} to ${most}`);
  }
  return value;
}

function modeOf(text: string): RevocationMode {
  if (text !== 'kill' && text !== 'replace') throw new Error(`--mode ${text}: must be kill or replace`);
  return text;
}

/** Actions that an emergency needs, of services that turn calls away. */
const limited = [
  ...['DescribeSecret', 'GetSecretValue', 'ListSecretVersionIds', 'PutSecretValue', 'RotateSecret'].map(
    (action) => `secretsmanager:${action}`,
  ),
  ...[
    'secretsmanager:UpdateSecretVersionStage',
    'states:StartExecution',
    'kms:Decrypt',
    'kms:GenerateDataKey',
  ],
];

const rows: readonly (readonly [string, (figures: EmergencyFigures) => string | number])[] = [
  ['functions at a time', ({ invocations }) => invocations],
  ['asked for by', ({ by }) => by],
  [
    'outcomes',
    ({ outcomes }) =>
      Object.entries(outcomes)
        .map(([type, count]) => `${count} × ${type}`)
        .join(', '),
  ],
  ['  none', ({ lost }) => lost],
  ['  more than one', ({ repeated }) => repeated],
  ['leaked passwords that still log in', ({ alive }) => alive.length],
  ['current passwords that do not', ({ without }) => without.length],
  ['age of the request at the intake, p50, s', ({ intakeMedian }) => intakeMedian.toFixed(1)],
  ['  p99, s', ({ intake99 }) => intake99.toFixed(1)],
  ['refused after, median, s', ({ refusedMedian }) => refusedMedian.toFixed(1)],
  ['all refused after, s', ({ refusedSlowest }) => refusedSlowest.toFixed(1)],
  ['  for each secret, s', ({ refusedSlowest, secrets }) => (refusedSlowest / secrets).toFixed(2)],
  ['all outcomes recorded after, s', ({ seconds }) => seconds.toFixed(0)],
  ['  for each secret, s', ({ seconds, secrets }) => (seconds / secrets).toFixed(2)],
  ['pace kept by the bucket', ({ paced }) => (paced ? 'yes' : 'no')],
  ['load of the machine', ({ load }) => load.toFixed(1)],
];

if (values.help) {
  process.stdout.write(usage);
} else {
  const sizes = values.secrets.split(',').map((text) => whole('secrets', text, 1, 5_000));
  const by: Asking = values['one-event'] ? 'one event' : 'requests';
  const kinds = whole('kinds', values.kinds, 1, 7);
  const mode = modeOf(values.mode);
  const each = values.calls === undefined ? undefined : whole('calls', values.calls, 1, 10_000);
  const calls = each === undefined ? {} : Object.fromEntries(limited.map((action) => [action, each]));
  const limits = values.invocations.split(',').map((text) => whole('invocations', text, 1, 1_000));
  const progress = terminal(process.stderr);
  const figures: EmergencyFigures[] = [];
  for (const secrets of sizes) {
    const cleanup = new Cleanup();
    try {
      const deployed = await deployEnvironment(secrets, kinds, progress, cleanup);
      for (const invocations of limits) {
        progress.title(`${deployed.rotated.length} revocations at once, ${invocations} functions at a time`);
        figures.push(await revokeAtOnce(deployed, { mode, by, invocations, calls }, progress));
      }
    } finally {
      await cleanup.run();
    }
  }
  if (values.json) {
    process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  } else {
    const out = terminal();
    out.table(
      ['secrets', ...figures.map(({ secrets }) => String(secrets))],
      rows.map(([title, value]) => [title, ...figures.map((one) => String(value(one)))]),
    );
    for (const { secrets, invocations, failures } of figures) {
      for (const [reason, count] of Object.entries(failures))
        out.note(`of ${secrets} at ${invocations}: ${count} × ${reason}`);
    }
    const [first, last] = [figures[0], figures.at(-1)];
    if (first !== undefined && last !== undefined && last.secrets > first.secrets) {
      const times = last.refusedSlowest / first.refusedSlowest;
      out.note(
        `${last.secrets} secrets took ${times.toFixed(1)} times as long to be refused as ${first.secrets}`,
      );
    }
  }
  const held = figures.every(
    ({ lost, repeated, alive, without }) => lost + repeated + alive.length + without.length === 0,
  );
  process.exitCode = held ? 0 : 1;
}
