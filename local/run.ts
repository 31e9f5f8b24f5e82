import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { RekeyError } from '../core/errors.ts';

export const checkout = join(import.meta.dirname, '..');

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of this checkout to its end, with this environment on top of the process's own. */
export async function run(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<Finished> {
  return await new Promise<Finished>((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: checkout,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal !== null) {
        reject(
          new RekeyError(
            'ProgramEnded',
            `${command} ${args[0] ?? ''} was ended by ${signal} after at most ${timeoutMs / 1000} s`,
          ),
        );
        return;
      }
      resolve({ exitCode: code ?? 1, stdout, stderr });
    });
  });
}

/** Runs a program that must succeed. @throws RekeyError `ProgramFailed`, with the end of what it printed */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<Finished> {
  const finished = await run(command, args, environment, timeoutMs);
  if (finished.exitCode !== 0) {
    const tail = `${finished.stdout}\n${finished.stderr}`.trim().split('\n').slice(-25).join('\n');
    throw new RekeyError(
      'ProgramFailed',
      `${command} ${args.slice(0, 2).join(' ')} ended with ${finished.exitCode}:\n${tail}`,
    );
  }
  return finished;
}
