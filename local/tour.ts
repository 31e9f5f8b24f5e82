import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Shown } from './acts/act.ts';
import { acts } from './acts/index.ts';
import { Cleanup } from './cleanup.ts';
import { deployLocally, type LocalDeployment } from './deployment.ts';
import { claim, release } from './keeper.ts';
import { checkout } from './run.ts';
import { terminal } from './terminal.ts';

const usage = `Usage: npm start [-- --keep]

Deploys Rekey on a local cloud with a real PostgreSQL, and Redis or Valkey if it is installed, and walks through the main job. Every act is checked; the exit
code is 0 only if all of them held.

  --keep   leave everything running afterwards, and print how to reach it; npm run local:down ends it
  --help   show this
`;

const directory = join(checkout, '.rekey', 'local');
const out = terminal();

interface Outcome {
  readonly act: string;
  readonly held: boolean;
  readonly shown: readonly Shown[];
}

async function perform(deployment: LocalDeployment): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [index, [act, play]] of acts(deployment.cache !== undefined).entries()) {
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

function howToReach({ cloud }: LocalDeployment): void {
  out.title('Everything is still running');
  console.log(`
Point a shell at it, then use the CLI or the AWS CLI as if it were AWS:

${Object.entries(cloud.environment)
  .map(([name, value]) => `  export ${name}='${value}'`)
  .join('\n')}

  npm run -s rekey -- secret list
  npm run -s rekey -- audit tail
  aws secretsmanager list-secrets

End it with: npm run local:down`);
}

/** Deploys, performs and, unless it is to be kept, ends everything. Returns the exit code. */
async function tour(keep: boolean, cleanup: Cleanup): Promise<number> {
  const start = performance.now();
  out.title('Deploying Rekey on the local cloud');
  const deployment = await deployLocally(directory, out, cleanup);
  const outcomes = await perform(deployment);
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

/** Runs the tour in this process, which owns everything that it starts. */
async function host(keep: boolean): Promise<void> {
  await claim(directory);
  const cleanup = new Cleanup();
  const end = async (exitCode: number): Promise<never> => {
    await cleanup.run();
    await release(directory);
    process.exit(exitCode);
  };
  process.once('SIGINT', () => void end(130));
  process.once('SIGTERM', () => void end(143));
  let exitCode: number;
  try {
    exitCode = await tour(keep, cleanup);
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`);
    return end(1);
  }
  if (!keep) {
    return end(exitCode);
  }
  // The process that waits for this message prints our output; from here on there is nobody to print to.
  process.send?.({ exitCode });
  process.disconnect?.();
}

/** Starts a host in the background, passes on what it prints, and leaves when the tour is over. */
function background(): void {
  const child = fork(import.meta.filename, ['--host'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  child.stdout?.pipe(process.stdout);
  child.stderr?.pipe(process.stderr);
  process.once('SIGINT', () => child.kill('SIGINT'));
  child.once('message', (message: { exitCode: number }) => process.exit(message.exitCode));
  child.once('exit', (code) => process.exit(code ?? 1));
}

const options = process.argv.slice(2);
const unknown = options.find((option) => !['--keep', '--help', '--host'].includes(option));
if (unknown !== undefined) {
  console.error(`unknown option ${unknown}\n\n${usage}`);
  process.exitCode = 2;
} else if (options.includes('--help')) {
  console.log(usage);
} else if (options.includes('--host')) {
  await host(true);
} else if (options.includes('--keep')) {
  background();
} else {
  await host(false);
}
