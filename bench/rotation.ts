import { setTimeout as sleep } from 'node:timers/promises';
import type { Strategy } from '../core/secret/secret.ts';
import { steps } from '../lambdas/rotation/event.ts';
import type { Target } from '../test/conformance/scene.ts';
import { MemoryStore } from '../test/lambdas/rotation/memory-store.ts';
import { startEndpoint } from './endpoint.ts';
import { type FunctionProcess, startFunction } from './function-process.ts';
import { startLogins } from './login-loop.ts';
import { startProxy } from './proxy.ts';
import { median } from './statistics.ts';

/** The figures of one secret type with one strategy. */
export interface RotationFigures {
  readonly strategy: Strategy;
  /** True where the target issues the credential, which takes more calls: it is made and removed besides. */
  readonly issued: boolean;
  /** Calls by action when the four steps share one environment, in the order of their first call. */
  readonly warmCalls: Readonly<Record<string, number>>;
  /** Calls when every step has a new environment. */
  readonly coldCalls: Readonly<Record<string, number>>;
  /** Connections to the target per rotation; undefined for a target without host and port in its secret. */
  readonly connections: number | undefined;
  /** The four steps in one environment that has rotated before; median. */
  readonly warmMs: number;
  /** Logins with what is AWSCURRENT, all warm rotations together. */
  readonly logins: number;
  readonly refusedLogins: number;
  /** How long AWSCURRENT did not log in, per rotation; median, shortest and longest. */
  readonly deadMs: { readonly median: number; readonly min: number; readonly max: number };
  /** How long one login of that consumer took; median. */
  readonly loginMs: number;
}

export interface RotationOptions {
  readonly target: Target;
  readonly strategy: Strategy;
  /** Folder of the function's bundle. */
  readonly bundle: string;
  /** File in the bundle's folder with the authorities that the target's certificate is from. */
  readonly caFile: string | undefined;
  readonly delayMs: number;
  readonly rotations: number;
}

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:bench-AbCdEf';
const adminArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin-AbCdEf';

/** Rotates a secret with the function's own bundle, warm and cold, while a consumer logs in all the time. */
export async function measureRotation(options: RotationOptions): Promise<RotationFigures> {
  const { target, strategy, bundle, delayMs } = options;
  const { deployed } = target;
  const { secret, admin } = await (deployed?.createAccount ?? target.createAccount)();
  const accepts = deployed?.logsIn ?? target.logsIn;
  const { host, port } = secret;
  const proxy =
    typeof host === 'string' && typeof port === 'number' ? await startProxy(host, port) : undefined;
  const throughProxy = (original: object) =>
    proxy === undefined ? original : { ...original, port: proxy.port };
  const store = new MemoryStore();
  store.create(arn, JSON.stringify({ ...throughProxy(secret), masterarn: adminArn }));
  store.create(adminArn, JSON.stringify(throughProxy(admin)));
  const endpoint = await startEndpoint(store, delayMs);
  const environment = {
    REKEY_ENVIRONMENT: 'bench',
    REKEY_EVENT_BUS: 'rekey-bench',
    REKEY_AUDIT_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/111122223333/audit.fifo',
    REKEY_STRATEGY: strategy,
    AWS_ENDPOINT_URL: endpoint.url,
    ...(options.caFile !== undefined && { REKEY_CA_FILE: options.caFile }),
    ...deployed?.environment,
  };
  const start = () => startFunction(bundle, environment);
  /** Directly, so that the consumer's own connections are not counted. */
  const logsIn = () => {
    const current = JSON.parse(store.peek(arn, 'AWSCURRENT')?.value ?? '{}') as Record<string, unknown>;
    return accepts({ ...current, ...(port !== undefined && { port }) });
  };
  const rotate = async (environmentFor: () => Promise<FunctionProcess>): Promise<number> => {
    const token = crypto.randomUUID();
    store.begin(arn, token);
    let ms = 0;
    for (const step of steps) {
      const running = await environmentFor();
      ms += await running.invoke({ Step: step, SecretId: arn, ClientRequestToken: token });
    }
    if (store.peek(arn, 'AWSCURRENT')?.versionId !== token || !(await logsIn())) {
      throw new Error(`the rotation of a ${target.rotator.type} secret (${strategy}) did not hold`);
    }
    return ms;
  };
  try {
    const coldCalls = await coldRotation(rotate, start, endpoint.calls);
    const warm = await start();
    try {
      const environmentFor = async () => warm;
      // The first rotation of an environment reads the certificates and compiles what it runs.
      await rotate(environmentFor);
      endpoint.calls.length = 0;
      if (proxy !== undefined) proxy.connections = 0;
      await rotate(environmentFor);
      const warmCalls = countByName(endpoint.calls);
      const connections = proxy?.connections;
      const times: number[] = [];
      const records = [];
      for (let round = 0; round < options.rotations; round += 1) {
        times.push(await rotate(environmentFor));
        const logins = startLogins(logsIn);
        await sleep(50);
        await rotate(environmentFor);
        await sleep(50);
        records.push(await logins.stop());
      }
      const dead = records.map(({ deadMs }) => deadMs);
      return {
        strategy,
        issued: target.rotator.kind === 'issuing',
        warmCalls,
        coldCalls,
        connections,
        warmMs: median(times),
        logins: records.reduce((sum, { attempts }) => sum + attempts, 0),
        refusedLogins: records.reduce((sum, { refused }) => sum + refused, 0),
        deadMs: { median: median(dead), min: Math.min(...dead), max: Math.max(...dead) },
        loginMs: median(records.map(({ loginMs }) => loginMs)),
      };
    } finally {
      await warm.end();
    }
  } finally {
    await endpoint.close();
    await proxy?.close();
  }
}

/** One rotation in which every step has an environment of its own. */
async function coldRotation(
  rotate: (environmentFor: () => Promise<FunctionProcess>) => Promise<number>,
  start: () => Promise<FunctionProcess>,
  calls: string[],
): Promise<Record<string, number>> {
  calls.length = 0;
  const running: FunctionProcess[] = [];
  try {
    await rotate(async () => {
      const fresh = await start();
      running.push(fresh);
      return fresh;
    });
  } finally {
    await Promise.all(running.map((each) => each.end()));
  }
  return countByName(calls);
}

function countByName(calls: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of calls) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
