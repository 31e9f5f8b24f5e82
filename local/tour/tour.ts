import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Cleanup } from '../process/cleanup.ts';
import { serverFolder } from '../process/folders.ts';
import { checkout } from '../process/run.ts';
import type { Act, Shown } from './acts/act.ts';
import { chainLeaks } from './acts/chain.ts';
import { acts, chainTitle } from './acts/index.ts';
import { type Chain, startChain } from './chain.ts';
import { deployLocally, environmentName, type LocalDeployment } from './deployment.ts';
import { claim, release } from './keeper.ts';
import { terminal } from './terminal.ts';

const usage = `Usage: npm start [-- [--act chain] [--keep]]

Deploys Rekey on a local cloud with a real PostgreSQL, and Redis or Valkey if it is installed, and walks through the main job. Every act is checked; the exit
code is 0 only if all of them held.

  --act chain   only this act, on targets of its own: one leaked admin credential takes everything with it that it leads to
  --keep        leave everything running afterwards, and print how to reach it; npm run local:down ends it
  --help        show this
`;

const directory = join(checkout, '.rekey', 'local');
const out = terminal();

interface Outcome {
  readonly act: string;
  readonly held: boolean;
  readonly shown: readonly Shown[];
}

/** The options of a run. */
interface TourOptions {
  /** True to leave everything running. */
  readonly keep: boolean;
  /** True to play the act of the chain alone. */
  readonly chain: boolean;
}

async function perform(
  deployment: LocalDeployment,
  played: readonly (readonly [string, Act])[],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [index, [act, play]] of played.entries()) {
    out.title(`${index + 1}. ${act}`);
    try {
      const shown = await out.step(act, () => play(deployment, out.note));
      outcomes.push({ act, held: true, shown });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      out.note(message);
      outcomes.push({ act, held: false, shown: [{ what: act, result: message.split('\n')[0] ?? '' }] });
    }
  }
  return outcomes;
}

function summarize(outcomes: readonly Outcome[]): void {
  out.table(
    ['', 'what happened', 'result'],
    outcomes.flatMap(({ held, shown }) =>
      shown.map(({ what, result }) => [held ? 'ok' : 'FAILED', what, result]),
    ),
  );
}

/** Quotes a value for a shell, whatever it holds. */
const quoted = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;

function howToReach({ cloud }: LocalDeployment): void {
  const variables = Object.entries({ ...cloud.environment, REKEY_ENVIRONMENT: environmentName });
  // An empty profile is one that the AWS CLI looks for, in vain.
  const unset = variables.filter(([, value]) => value === '').map(([name]) => name);
  out.title('Everything is still running');
  console.log(`
Paste this into a shell; then use the CLI or the AWS CLI as if it were AWS:

${unset.length > 0 ? `  unset ${unset.join(' ')}\n` : ''}${variables
  .filter(([, value]) => value !== '')
  .map(([name, value]) => `  export ${name}=${quoted(value)}`)
  .join('\n')}

For example:

  npm run -s rekey -- secret list
  npm run -s rekey -- audit tail
  aws secretsmanager list-secrets

End it with: npm run local:down`);
}

/** Deploys, performs and, unless it is to be kept, ends everything. Returns the exit code. */
async function tour({ keep, chain: chainAlone }: TourOptions, cleanup: Cleanup): Promise<number> {
  const start = performance.now();
  out.title('Deploying Rekey on the local cloud');
  const made: { chain?: Chain } = {};
  const deployment = await deployLocally(directory, out, cleanup, {
    servers: await serverFolder('local'),
    ...(chainAlone && {
      async further(cloud, postgres) {
        made.chain = await startChain(directory, cloud, postgres, cleanup);
        return [made.chain.target];
      },
      variables: () => ({ REKEY_LOCAL_MORE: JSON.stringify({ consumers: made.chain?.consumers }) }),
    }),
  });
  const { chain } = made;
  const outcomes = await perform(
    deployment,
    chain === undefined ? acts(deployment.cache !== undefined) : [[chainTitle, chainLeaks(chain)]],
  );
  summarize(outcomes);
  const failed = outcomes.filter(({ held }) => !held).length;
  console.log(
    `\n${failed === 0 ? `All ${outcomes.length} acts held` : `${failed} of ${outcomes.length} acts did not hold`}, in ${Math.round((performance.now() - start) / 1000)} s.`,
  );
  if (keep) {
    howToReach(deployment);
  }
  return failed === 0 ? 0 : 1;
}

/** Runs the tour in this process, which owns everything that it starts. @param word - see {@link claim} */
async function host(chosen: TourOptions, word: string): Promise<void> {
  const { keep } = chosen;
  const cleanup = new Cleanup();
  let claimed = false;
  let ending: Promise<never> | undefined;
  const finish = async (exitCode: number): Promise<never> => {
    await cleanup.run();
    if (claimed) await release(directory);
    process.exit(exitCode);
  };
  const end = (exitCode: number): Promise<never> => {
    ending ??= finish(exitCode);
    return ending;
  };
  process.once('SIGINT', () => void end(130));
  process.once('SIGTERM', () => void end(143));
  // Whoever started us is gone, and with it the reason for all this.
  process.once('disconnect', () => void end(129));
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  try {
    await claim(directory, word);
    claimed = true;
    const exitCode = await tour(chosen, cleanup);
    if (!keep || ending !== undefined) await end(exitCode);
    process.removeAllListeners('disconnect');
    // The process that waits for this message prints our output; from here on there is nobody to print to.
    process.send?.({ exitCode });
    process.disconnect?.();
  } catch (error) {
    // An interrupted step fails, too; the signal has been answered already.
    if (ending === undefined) console.error(`\n${error instanceof Error ? error.message : String(error)}`);
    await end(1);
  }
}

/**
 * Starts a host, and leaves when its tour is over.
 * The host is a process of its own, so that it hears of it when this one ends, even by `kill -9`.
 */
function start({ keep, chain }: TourOptions): void {
  const child = fork(
    import.meta.filename,
    ['--host', randomUUID(), ...(keep ? ['--keep'] : []), ...(chain ? ['--act', 'chain'] : [])],
    {
      // Signals of the terminal come here alone and are passed on.
      detached: true,
      // Who outlives this process must not hold its terminal.
      stdio: keep ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  );
  child.stdout?.pipe(process.stdout);
  child.stderr?.pipe(process.stderr);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => child.kill(signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM'));
  }
  child.once('message', (message: { exitCode: number }) => process.exit(message.exitCode));
  child.once('close', (code) => process.exit(code ?? 1));
}

const options = process.argv.slice(2);
const [first, word] = options;
const act = options.indexOf('--act');
const named = act < 0 ? undefined : options[act + 1];
const unknown = options.find(
  (option, index) =>
    !['--keep', '--help', '--act'].includes(option) && !(index === act + 1 && option === 'chain'),
);
const chosen: TourOptions = { keep: options.includes('--keep'), chain: named === 'chain' };
if (first === '--host' && word !== undefined) {
  await host(chosen, word);
} else if (unknown !== undefined || (act >= 0 && named !== 'chain')) {
  console.error(`unknown option ${unknown ?? '--act without a name'}\n\n${usage}`);
  process.exitCode = 2;
} else if (options.includes('--help')) {
  console.log(usage);
} else {
  start(chosen);
}
