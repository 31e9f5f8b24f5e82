import { dirname, join } from 'node:path';
import { checkout, type Finished, run } from '../../process/run.ts';
import { ensurePython } from '../python.ts';

/** Checks the Python of the local cloud and of the tests as part of `npm run lint`; `--write` corrects what can be. */
const write = process.argv.includes('--write');
const limitMs = 300_000;
const configuration = join(import.meta.dirname, '..', 'pyproject.toml');
const cache = join(checkout, '.rekey', 'lint');
const log = (line: string) => process.stderr.write(`${line}\n`);

const python = await ensurePython({ requirementsFile: join(import.meta.dirname, 'requirements.txt'), log });
// mypy reads the packages of the local cloud where they are installed.
const cloudPython = await ensurePython({ log });
const folders = ['local/emulator', 'test'];
const ruff = (...args: string[]) => [
  join(dirname(python), 'ruff'),
  ...args,
  '--quiet',
  ...['--config', configuration, '--cache-dir', join(cache, 'ruff')],
  ...folders,
];

const checks: readonly (readonly string[])[] = [
  ruff('format', ...(write ? [] : ['--diff'])),
  ruff('check', ...(write ? ['--fix'] : []), '--output-format', 'concise'),
  ...(write
    ? []
    : [
        [
          join(dirname(python), 'mypy'),
          ...['--config-file', configuration, '--cache-dir', join(cache, 'mypy')],
          ...['--python-executable', cloudPython, '--no-error-summary'],
        ],
        [python, '-B', join(import.meta.dirname, 'own_rules.py'), 'local/emulator/cloud', ...folders],
      ]),
];

let failed = false;
for (const [program = '', ...args] of checks) {
  const { exitCode, stdout, stderr }: Finished = await run(program, args, {}, limitMs);
  if (exitCode === 0) continue;
  failed = true;
  process.stderr.write(`${stdout}${stderr}`);
}
if (failed) process.exitCode = 1;
