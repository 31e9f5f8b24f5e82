import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, GetItemCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { DescribeSecretCommand, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { v7 } from 'uuid';
import { busName } from '../../core/deployed/names.ts';
import { paceItem, rotationBucket } from '../../core/deployed/pace.ts';
import { plannedRequestId } from '../../core/deployed/revocation-token.ts';
import type { RevocationMode } from '../../core/events/catalogue.ts';
import type { Selection } from '../../core/revocation/selection.ts';
import type { Terminal } from '../../local/tour/terminal.ts';
import { RecordedLog } from '../../test/recorded-log.ts';
import { percentile } from '../statistics.ts';
import type { DeployedEnvironment } from './environment.ts';
import { ageAtIntake } from './intake-age.ts';

/** The ways to ask: an event for each secret, or one for everything in the environment. */
export type Asking = 'requests' | 'one event';

/** What came of so many revocations at once. */
export interface EmergencyFigures {
  readonly secrets: number;
  readonly by: Asking;
  readonly mode: RevocationMode;
  readonly invocations: number;
  /** True if rotations took their starts from the bucket, and so kept the pace. */
  readonly paced: boolean;
  /** Load of the machine when it ended, over the last minute. */
  readonly load: number;
  /** Requests that ended so often, by outcome; each must end once. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Requests without an outcome in the log, and with more than one. */
  readonly lost: number;
  readonly repeated: number;
  /** Secrets whose leaked password still logs in, and whose current one does not. */
  readonly alive: readonly string[];
  readonly without: readonly string[];
  /** Age of requests when the intake had started their workflow, in seconds. */
  readonly intakeMedian: number;
  readonly intake99: number;
  /** Until the target refused the leaked password, of those that succeeded, in seconds. */
  readonly refusedMedian: number;
  readonly refusedSlowest: number;
  /** From the first request to the last outcome. */
  readonly seconds: number;
  /** Failures by stage and code. */
  readonly failures: Readonly<Record<string, number>>;
}

const environment = 'bench';
const outcomeTypes = /^Secret Revocation (?:Succeeded|Failed|Unproven)$/;
const limitMs = 45 * 60_000;

/** What the audit log says of the requests. */
interface Said {
  readonly outcomes: ReadonlyMap<string, readonly Outcome[]>;
  /** Age of each request at the intake, in milliseconds. */
  readonly ages: readonly number[];
}

interface Outcome {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Revokes every secret of an environment at once, and looks at each login afterwards. */
export async function revokeAtOnce(
  { cloud, credentials, client, targets, rotated }: DeployedEnvironment,
  {
    mode,
    by,
    invocations,
    calls,
  }: {
    readonly mode: RevocationMode;
    readonly by: Asking;
    readonly invocations: number;
    /** Calls that are taken each second, by action. */
    readonly calls: Readonly<Record<string, number>>;
  },
  terminal: Terminal,
): Promise<EmergencyFigures> {
  const kinds = targets.filter(({ accepts }) => accepts !== undefined);
  const names = kinds.flatMap((kind) => kind.names).filter((name) => rotated.includes(name));
  const read = async (SecretId: string) => {
    const { ARN = '', SecretString = '{}' } = await client.send(new GetSecretValueCommand({ SecretId }));
    return { arn: ARN, value: JSON.parse(SecretString) as Record<string, unknown> };
  };
  const readValue = async (name: string) => (await read(name)).value;
  const leaked = new Map<string, Record<string, unknown>>();
  const ids = new Map<string, string>();
  const one = v7();
  for (const name of names) {
    const { arn, value } = await read(name);
    leaked.set(name, value);
    ids.set(by === 'one event' ? plannedRequestId(one, arn) : v7(), name);
  }
  const requests: Request[] =
    by === 'one event' ? [[one, { environment }]] : [...ids].map(([id, secret]): Request => [id, { secret }]);
  const options = cloud.clientOptions(credentials);
  const log = await RecordedLog.of(cloud, environment, credentials);

  await cloud.limit({ invocations, calls });
  const begun = performance.now();
  await terminal.step(`${requests.length} requests`, () =>
    request(requests, mode, new EventBridgeClient(options)),
  );
  const { outcomes, ages } = await terminal.step('outcomes', () => awaitOutcomes(log, ids));
  const seconds = (performance.now() - begun) / 1_000;
  await cloud.limit({
    invocations: 32,
    calls: Object.fromEntries(Object.keys(calls).map((call) => [call, 1e6])),
  });

  const [alive, without]: [string[], string[]] = [[], []];
  await terminal.step('logins', async () => {
    for (const { names: ofKind, accepts } of kinds) {
      for (const name of ofKind.filter((one) => leaked.has(one))) {
        if (await accepts?.(leaked.get(name) ?? {})) alive.push(name);
        if (!(await accepts?.(await readValue(name)))) without.push(name);
      }
    }
  });
  for (const name of without) {
    const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId: name }));
    terminal.note(`${name}: ${JSON.stringify(VersionIdsToStages)}`);
  }
  const all = [...outcomes.values()];
  const times = all
    .flat()
    .filter(({ type }) => type.endsWith('Succeeded'))
    .map(({ data }) => Date.parse(String(data.refusedAt)) - Date.parse(String(data.requestedAt)))
    .toSorted((a, b) => a - b);
  const failures = all
    .flat()
    .filter(({ type }) => type.endsWith('Failed'))
    .map(({ data }) => `${data.stage}: ${(data.error as { code?: string })?.code}`);
  return {
    secrets: names.length,
    by,
    paced: await tookStarts(new DynamoDBClient(options)),
    load: loadavg()[0] ?? Number.NaN,
    mode,
    invocations,
    alive,
    without,
    seconds,
    outcomes: countOf(all.flat().map(({ type }) => type)),
    lost: all.filter(({ length }) => length === 0).length,
    repeated: all.filter(({ length }) => length > 1).length,
    intakeMedian: percentile(ages, 0.5) / 1_000,
    intake99: percentile(ages, 0.99) / 1_000,
    refusedMedian: (times[Math.floor(times.length / 2)] ?? Number.NaN) / 1_000,
    refusedSlowest: (times.at(-1) ?? Number.NaN) / 1_000,
    failures: countOf(failures),
  };
}

/** Finds the bucket of rotations in the table of plans. */
async function tookStarts(client: DynamoDBClient): Promise<boolean> {
  const { TableNames = [] } = await client.send(new ListTablesCommand({}));
  const Key = { requestId: { S: paceItem(rotationBucket) }, secretName: { S: rotationBucket } };
  for (const TableName of TableNames.filter((name) => name.includes('Plans'))) {
    const { Item } = await client.send(new GetItemCommand({ TableName, Key }));
    if (Item !== undefined) return true;
  }
  return false;
}

const countOf = (texts: readonly string[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(texts, (text) => text)].map(([text, same]) => [text, same.length]));

/** Id of a request, and its selection. */
type Request = readonly [string, Selection];

/** Sends all requests at once, ten to a call, as many as EventBridge takes. */
async function request(
  requests: readonly Request[],
  mode: RevocationMode,
  client: EventBridgeClient,
): Promise<void> {
  const batches = Array.from({ length: Math.ceil(requests.length / 10) }, (_, index) =>
    requests.slice(index * 10, index * 10 + 10),
  );
  await Promise.all(
    batches.map(async (batch) => {
      const Entries = batch.map(([id, select]) => ({
        EventBusName: busName(environment),
        Source: 'rekey.cli',
        DetailType: 'Secret Revocation Requested',
        Detail: JSON.stringify({
          metadata: {
            id,
            schemaVersion: 1,
            time: new Date().toISOString(),
            environment,
            actor: 'bench',
            correlationId: id,
          },
          data: { select, mode, reason: 'everything leaked at once' },
        }),
      }));
      const { FailedEntryCount } = await client.send(new PutEventsCommand({ Entries }));
      if (FailedEntryCount !== 0) throw new Error(`${FailedEntryCount} requests were not taken`);
    }),
  );
}

/** Reads the audit log until every request has its outcome, and for a while longer, for outcomes that come twice. */
async function awaitOutcomes(log: RecordedLog, ids: ReadonlyMap<string, string>): Promise<Said> {
  const ages = new Map<string, number>();
  const found = new Map<string, Outcome[]>([...ids.keys()].map((id) => [id, []]));
  const deadline = performance.now() + limitMs;
  let complete = Number.POSITIVE_INFINITY;
  while (performance.now() < Math.min(deadline, complete + 10_000)) {
    const { more } = await log.read();
    for (const { event, detailType } of more) {
      const requestId = event.text('requestId') ?? '';
      const outcomes = found.get(requestId);
      if (outcomes === undefined) continue;
      const age = ageAtIntake(event);
      if (age !== undefined) ages.set(requestId, age);
      if (outcomeTypes.test(detailType)) outcomes.push({ type: detailType, data: event.data });
    }
    if (complete === Number.POSITIVE_INFINITY && [...found.values()].every(({ length }) => length > 0)) {
      complete = performance.now();
    }
    if (more.length === 0) await sleep(2_000);
  }
  return { outcomes: found, ages: [...ages.values()] };
}
