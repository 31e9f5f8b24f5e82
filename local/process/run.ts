import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { guard } from './guard.ts';

export const checkout = join(import.meta.dirname, '..', '..');

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program of this checkout to its end, with this environment on top of the process's own.
 * The program and what it starts end with this process, however that ends.
 * @throws RekeyError `ProgramEnded` when it was killed, by us after `timeoutMs` or by somebody else
 */
export async function run(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  timeoutMs: number,
  directory: string = checkout,
  input?: string,
): Promise<Finished> {
  return await new Promise<Finished>((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: directory,
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A process group of its own, to be ended as a whole.
      detached: true,
    });
    const { pid } = child;
    const release = pid === undefined ? () => {} : guard(-pid);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    }, timeoutMs);
    // A program that refuses its arguments reads nothing, and its end of the pipe is gone then.
    child.stdin.on('error', () => {}).end(input);
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', (error) => {
      clearTimeout(timer);
      release();
      reject(error);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      release();
      if (signal === null) return resolve({ exitCode: code ?? 1, stdout, stderr });
      const why = late ? `did not end within ${timeoutMs / 1000} s` : `was ended by ${signal}`;
      reject(new RekeyError('ProgramEnded', `${command} ${args[0] ?? ''} ${why}:\n${end(stdout, stderr)}`));
    });
  });
}

/** Cuts out the last lines of what a program said. */
const end = (stdout: string, stderr: string): string =>
  `${stdout}\n${stderr}`.trim().split('\n').slice(-25).join('\n');

/** Runs a program that must succeed. @throws RekeyError `ProgramFailed`, with the end of what it printed */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<Finished> {
  const finished = await run(command, args, environment, timeoutMs);
  if (finished.exitCode !== 0) {
    throw new RekeyError(
      'ProgramFailed',
      `${command} ${args.slice(0, 2).join(' ')} ended with ${finished.exitCode}:\n${end(finished.stdout, finished.stderr)}`,
    );
  }
  return finished;
}
