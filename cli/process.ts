import { systemClock, systemRandom } from '../adapters/system.ts';
import type { CliContext } from './context.ts';

/** The exit code of a program that SIGINT ended, as shells count. */
const interrupted = 130;

/**
 * Makes the surroundings of a run in this process. The first Ctrl-C asks the command to end, which commands that wait do with a
 * word about what goes on without them; the second one ends the process.
 */
export function processContext(version: string): CliContext {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort();
    process.once('SIGINT', () => process.exit(interrupted));
  });
  // A reader that has seen enough, like head, closes the pipe: nothing is wrong then.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 3));
  // A log that nobody takes any more is no reason to end a command, least of all one that looks after a service.
  process.stderr.on('error', () => undefined);
  return {
    version,
    stdout: {
      write: (text) => process.stdout.write(text),
      terminal: process.stdout.isTTY === true,
      size: () => ({ columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }),
    },
    stderr: { write: (text) => process.stderr.write(text), terminal: process.stderr.isTTY === true },
    variables: process.env,
    clock: systemClock,
    random: systemRandom,
    signal: controller.signal,
    sleep: (ms) => sleep(ms, controller.signal),
    ...(process.stdin.isTTY === true && { ask }),
    readHidden: async (question) =>
      (await import('./hidden-input.ts')).readHidden(process.stdin, question, (text) => {
        process.stderr.write(text);
      }),
    profiles: async () => (await import('../adapters/operator/profiles.ts')).configuredProfiles(process.env),
    processes: async () => (await import('./exec/processes.ts')).systemProcesses(),
    connect: async (choice) => (await import('../adapters/operator/operator-cloud.ts')).awsCloud(choice),
    auditCopy: async (directory) => {
      const { DirectoryAuditLog } = await import('../adapters/audit-copy.ts');
      return new DirectoryAuditLog(directory);
    },
  };
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  const { setTimeout } = await import('node:timers/promises');
  await setTimeout(ms, undefined, { signal }).catch(() => {});
}

async function ask(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } catch {
    // Ctrl-C or Ctrl-D instead of an answer.
    return '';
  } finally {
    lines.close();
  }
}
