import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makePrivate } from '../local/process/folders.ts';
import { guard } from '../local/process/guard.ts';
import { checkout } from '../local/process/run.ts';
import { terminal } from '../local/tour/terminal.ts';

const usage = `Usage: npm run test:busy [-- --tours 10 --suites 3 --loops 2]

Runs npm start and npm test over and over beside busy loops, to find what holds on an idle machine only. Prints a table;
the exit code is 0 only if every run held. What the runs said stays in .rekey/busy/.

  --tours N   how often to run npm start; default 10
  --suites N  how often to run npm test; default 3
  --loops N   busy loops beside them, one for each processor that is to have a neighbour; default 2
`;

interface Ran {
  readonly what: string;
  readonly held: boolean;
  readonly seconds: number;
  /** The first lines that say what failed. */
  readonly why: string;
}

const out = terminal();

/** Keeps a processor busy until this process ends, however it ends. */
function startLoop(): void {
  const loop = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  loop.unref();
  if (loop.pid !== undefined) loop.once('exit', guard(loop.pid));
}

/** What tells a reader most, of an output of any length. */
function firstFailures(output: string): string {
  const lines = output.split('\n').filter((line) => /^\s*(●|failed|FAILED|error:|Error)/.test(line));
  return [...new Set(lines.map((line) => line.trim()))].slice(0, 3).join(' | ');
}

async function once(what: string, args: readonly string[], logFile: string): Promise<Ran> {
  const begun = performance.now();
  const log = await open(logFile, 'w', 0o600);
  const child = spawn('npm', args, {
    cwd: checkout,
    stdio: ['ignore', log.fd, log.fd],
    // A process group of its own, to be ended as a whole.
    detached: true,
  });
  const release = child.pid === undefined ? () => {} : guard(-child.pid);
  const code = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(1));
    child.once('close', (exitCode) => resolve(exitCode ?? 1));
  });
  release();
  await log.close();
  const seconds = Math.round((performance.now() - begun) / 1000);
  const why = code === 0 ? '' : firstFailures(await readFile(logFile, 'utf8')) || `ended with ${code}`;
  out.note(`${what}: ${code === 0 ? 'held' : `FAILED, ${why}`}, ${seconds} s`);
  return { what, held: code === 0, seconds, why };
}

const options = {
  tours: { type: 'string', default: '10' },
  suites: { type: 'string', default: '3' },
  loops: { type: 'string', default: '2' },
  help: { type: 'boolean' },
} as const;

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 1_000) {
    throw new Error(`--${name} ${text}: must be a whole number from 0 to 1000\n\n${usage}`);
  }
  return value;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const [tours, suites, loops] = [
    count('tours', values.tours),
    count('suites', values.suites),
    count('loops', values.loops),
  ];
  const folder = await makePrivate(join(checkout, '.rekey', 'busy'));
  for (let loop = 0; loop < loops; loop += 1) startLoop();
  out.title(`${tours} tours and ${suites} suites beside ${loops} busy loops; logs in ${folder}`);
  const ran: Ran[] = [];
  for (let tour = 1; tour <= tours; tour += 1) {
    ran.push(await once(`tour ${tour}`, ['start'], join(folder, `tour-${tour}.log`)));
  }
  for (let suite = 1; suite <= suites; suite += 1) {
    ran.push(await once(`suite ${suite}`, ['test'], join(folder, `suite-${suite}.log`)));
  }
  out.table(
    ['', 'run', 'seconds', 'what failed'],
    ran.map(({ what, held, seconds, why }) => [held ? 'ok' : 'FAILED', what, String(seconds), why]),
  );
  const failed = ran.filter(({ held }) => !held).length;
  console.log(`\n${ran.length - failed} of ${ran.length} held.`);
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
