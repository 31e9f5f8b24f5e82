import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { systemErrorCode } from '../process/system-error.ts';

/** The oldest Python that the emulator runs on. */
const minimumPython = { major: 3, minor: 10 } as const;

/** The reason why the local cloud's Python environment could not be had. */
class PythonError extends RekeyError<'PythonMissing' | 'PythonEnvironmentFailed'> {}

const repository = join(import.meta.dirname, '..', '..');
const ownRequirements = join(import.meta.dirname, 'cloud', 'requirements.txt');
const wanted = `Python ${minimumPython.major}.${minimumPython.minor} or later`;
const hint =
  'Debian and Ubuntu: apt-get install python3 python3-venv. macOS: brew install python3. ' +
  'Or set REKEY_PYTHON to the path of one.';

interface Outcome {
  readonly status: number | undefined;
  readonly output: string;
}

/** Runs a command to its end, or kills it after `timeoutMs`. A command that does not start has the status `undefined`. */
async function run(command: string, args: readonly string[], timeoutMs: number): Promise<Outcome> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-8_000);
    });
  }
  return await new Promise((resolve) => {
    child.once('error', (error) => resolve({ status: undefined, output: error.message }));
    child.once('close', (status) => resolve({ status: status ?? 1, output }));
  });
}

/** Finds the first Python on this machine that is new enough: its version and the path of its executable. */
async function findPython(named: string | undefined): Promise<{ executable: string; version: string }> {
  const candidates = named
    ? [named]
    : ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];
  const seen: string[] = [];
  for (const candidate of candidates) {
    const probe = 'import sys; print(sys.executable); print("%d.%d.%d" % sys.version_info[:3])';
    const { status, output } = await run(candidate, ['-c', probe], 20_000);
    const [executable, version] = output.trim().split('\n');
    if (status !== 0 || !executable || !version) continue;
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major > minimumPython.major || (major === minimumPython.major && minor >= minimumPython.minor)) {
      return { executable, version };
    }
    seen.push(`${candidate} is ${version}`);
  }
  const found = seen.length > 0 ? seen.join(', ') : `none of ${candidates.join(', ')} runs`;
  throw new PythonError('PythonMissing', `The local cloud needs ${wanted}: ${found}. ${hint}`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}

/** Holds a lock directory while `work` runs; one left behind by a process that is gone is taken over. */
async function exclusively<T>(lock: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const holder = join(lock, 'pid');
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      await mkdir(lock);
      await writeFile(holder, String(process.pid));
      break;
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    }
    await sleep(200);
    const pid = Number(await readFile(holder, 'utf8').catch(() => ''));
    if (pid > 0 ? !isAlive(pid) : Date.now() > deadline - timeoutMs + 5_000) {
      await rm(lock, { recursive: true, force: true });
    } else if (Date.now() > deadline) {
      throw new PythonError(
        'PythonEnvironmentFailed',
        `Another process (pid ${pid}) has been preparing Python for ${timeoutMs / 1000} s. ` +
          `Wait for it, or end it and remove ${lock}.`,
      );
    }
  }
  try {
    return await work();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

export interface PythonOptions {
  /** Takes a line on each thing that takes long. @default silent */
  readonly log?: ((line: string) => void) | undefined;
  /** The Python to use. @default the environment variable REKEY_PYTHON, or the first new enough one on PATH */
  readonly python?: string | undefined;
  /** Folder in which environments are kept. @default `.rekey/python` of the checkout */
  readonly directory?: string;
  /** Packages with hashes, in pip's format. @default those of the local cloud */
  readonly requirementsFile?: string;
}

/**
 * Makes the virtual environment that runs the local cloud, once per checkout and set of requirements. Every package is pinned
 * by hash. pip's own configuration (index, certificates, proxy) is honoured. An environment that an interrupted run left half
 * made is recognised and made anew.
 *
 * @returns the path of the environment's Python.
 * @throws PythonError `PythonMissing` when there is no Python 3.10 or later; `PythonEnvironmentFailed` when the
 *   environment or a package could not be installed, with the end of pip's output.
 */
export async function ensurePython(options: PythonOptions = {}): Promise<string> {
  const { executable, version } = await findPython(options.python ?? process.env.REKEY_PYTHON);
  const requirementsFile = options.requirementsFile ?? ownRequirements;
  const directory = options.directory ?? join(repository, '.rekey', 'python');
  const requirements = await readFile(requirementsFile);
  const key = createHash('sha256')
    .update(requirements)
    .update(`${executable} ${version}`)
    .digest('hex')
    .slice(0, 16);
  const environment = join(directory, key);
  const python = join(environment, 'bin', 'python');
  const complete = join(environment, 'complete');
  const isComplete = async () => (await readFile(complete, 'utf8').catch(() => '')) === key;
  if (await isComplete()) return python;
  await mkdir(directory, { recursive: true });
  return await exclusively(`${environment}.lock`, 600_000, async () => {
    if (await isComplete()) return python;
    options.log?.(`Installing the local cloud's Python packages (Python ${version}, once)`);
    await rm(environment, { recursive: true, force: true });
    const made = await run(executable, ['-m', 'venv', environment], 120_000);
    if (made.status !== 0) {
      throw new PythonError(
        'PythonEnvironmentFailed',
        `${executable} -m venv failed. ${hint}\n${made.output.trim()}`,
      );
    }
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--require-hashes'];
    const installed = await run(python, [...pip, '-r', requirementsFile], 540_000);
    if (installed.status !== 0) {
      throw new PythonError(
        'PythonEnvironmentFailed',
        `pip could not install ${requirementsFile}. Check that the package index can be reached (pip config list), ` +
          `then run again.\n${installed.output.trim()}`,
      );
    }
    await writeFile(complete, key);
    return python;
  });
}
