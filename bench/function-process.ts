import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** A process that holds one bundle, as one Lambda environment does. */
export interface FunctionProcess {
  /** How long the import of the bundle took, its own top level included. */
  readonly loadMs: number;
  /** How much of a processor that took, which depends less on what else the machine does. */
  readonly loadCpuMs: number;
  /** Invokes the handler; the time is the handler's. */
  invoke(event: object): Promise<number>;
  end(): Promise<void>;
}

/** What Lambda sets for every function: with it, tracing is on and credentials come from the environment. */
const lambdaEnvironment = {
  PATH: process.env.PATH ?? '',
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  AWS_LAMBDA_FUNCTION_NAME: 'rekey-bench',
  AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'not-a-key',
  _HANDLER: 'index.handler',
  _X_AMZN_TRACE_ID: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1',
  // Datagrams to a port where nobody listens: traces are made and lost.
  AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:9',
  POWERTOOLS_SERVICE_NAME: 'rotation',
  POWERTOOLS_TRACER_CAPTURE_RESPONSE: 'false',
};

/** Starts an environment and waits until its bundle is loaded. */
export async function startFunction(
  directory: string,
  environment: Readonly<Record<string, string>>,
): Promise<FunctionProcess> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'function.mjs'), join(directory, 'index.mjs')],
    {
      env: { ...lambdaEnvironment, LAMBDA_TASK_ROOT: directory, ...environment },
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    },
  );
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const exited = new Promise<void>((done) => {
    child.once('exit', () => done());
  });
  const lines = createInterface({ input: child.stdio[3] as Readable })[Symbol.asyncIterator]();
  const next = async () => {
    const line = await lines.next();
    if (line.done) throw new Error(`the function ended without an answer:\n${errors}`);
    const answer = JSON.parse(line.value) as { ms: number; cpuMs?: number; error?: string };
    const { error } = answer;
    if (error !== undefined) throw new Error(`the function failed: ${error}\n${errors}`);
    return answer;
  };
  const end = async () => {
    child.kill();
    await exited;
  };
  const loaded = await next().catch(async (error) => {
    await end();
    throw error;
  });
  return {
    loadMs: loaded.ms,
    loadCpuMs: loaded.cpuMs ?? 0,
    async invoke(event) {
      child.stdin?.write(`${JSON.stringify(event)}\n`);
      return (await next()).ms;
    },
    end,
  };
}
