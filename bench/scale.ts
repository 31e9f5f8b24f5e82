import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { terminal } from '../local/tour/terminal.ts';
import { measureEnvironment, type ScaleFigures } from './scale/environment.ts';
import { kindTitles } from './scale/targets.ts';

const usage = `npm run bench:scale -- [options]

Deploys one environment on the local cloud with real targets, rotates every secret twice, tries a sample of the logins,
and prints what it took. The exit code is 1 if a secret was not rotated or did not log in. See docs/performance.md.

  --secrets <n,…>   how many secrets, one environment after the other; default 10,100,1000
  --kinds <1|7>     secrets of one kind (${kindTitles[0]}), or of seven (with ${kindTitles.slice(1).join('; ')}); default 1
  --json            figures as JSON
  --help
`;

const { values } = parseArgs({
  options: {
    secrets: { type: 'string', default: '10,100,1000' },
    kinds: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function counts(): number[] {
  return values.secrets.split(',').map((text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < 1 || value > 5_000) {
      throw new Error(
        `--secrets ${values.secrets}: must be whole numbers from 1 to 5000 with commas between`,
      );
    }
    return value;
  });
}

function kinds(): 1 | 7 {
  if (values.kinds !== '1' && values.kinds !== '7')
    throw new Error(`--kinds ${values.kinds}: must be 1 or 7`);
  return values.kinds === '1' ? 1 : 7;
}

const rows: readonly (readonly [string, (figures: ScaleFigures) => string | number])[] = [
  ['stacks', ({ stacks }) => stacks],
  ['resources', ({ resources }) => resources],
  ['  most in a stack', ({ mostResources }) => mostResources],
  ['functions', ({ functions }) => functions],
  ['largest template, bytes', ({ templateBytes }) => templateBytes],
  ['synth, s', ({ synthSeconds }) => synthSeconds.toFixed(0)],
  ['deploy, s', ({ deploySeconds }) => deploySeconds.toFixed(0)],
  ['first rotations after it, s', ({ firstRotationSeconds }) => firstRotationSeconds.toFixed(0)],
  ['  of them asked for again', ({ retried }) => retried],
  ['rotations a second', ({ rotationsPerSecond }) => rotationsPerSecond.toFixed(1)],
  ['not rotated', ({ failures }) => failures.length],
  ['logins', ({ logins }) => `${logins.tried - logins.refused.length} of ${logins.tried}`],
];

function print(figures: readonly ScaleFigures[], machine: string): void {
  const out = terminal();
  out.table(
    ['secrets', ...figures.map(({ secrets }) => String(secrets))],
    rows.map(([title, value]) => [title, ...figures.map((each) => String(value(each)))]),
  );
  for (const { secrets, failedSteps } of figures) {
    for (const [reason, count] of Object.entries(failedSteps))
      out.note(`of ${secrets}: ${count} × ${reason}`);
  }
  out.note(machine);
}

if (values.help) {
  process.stdout.write(usage);
} else {
  const figures: ScaleFigures[] = [];
  const [of, sizes] = [kinds(), counts()];
  for (const secrets of sizes) figures.push(await measureEnvironment(secrets, of, terminal(process.stderr)));
  const load = loadavg()[0] ?? 0;
  if (values.json) {
    const machine = { node: process.version, cores: availableParallelism(), load };
    process.stdout.write(`${JSON.stringify({ machine, figures }, null, 2)}\n`);
  } else {
    print(figures, `Node ${process.version}, ${availableParallelism()} cores at load ${load.toFixed(1)}`);
  }
  const held = figures.every(({ failures, logins }) => failures.length + logins.refused.length === 0);
  process.exitCode = held ? 0 : 1;
}
