import { spawn } from 'node:child_process';

/** A shell that ends a process when this one is gone. */
interface Guard {
  end(): void;
}

/**
 * Waits for the end of its input, which comes when this process ends, however it does. The number of the process is no secret,
 * so it may stand among the arguments.
 */
const script = `
read -r _
kill -s TERM -- "$1" 2>/dev/null || exit 0
left=$2
while [ "$left" -gt 0 ] && kill -s 0 -- "$1" 2>/dev/null; do sleep 1; left=$((left - 1)); done
kill -s KILL -- "$1" 2>/dev/null
`;

/**
 * Starts a guard. A process that holds secrets so outlives the one that watches them by no more than its grace, even after
 * `kill -9`, which no handler can see. Where there is no `/bin/sh` there is no guard.
 * @param target - the number of a process, or of a group with a minus
 */
export function startGuard(target: number, graceMs: number): Guard {
  const shell = spawn(
    '/bin/sh',
    ['-c', script, 'rekey-guard', String(target), String(Math.ceil(graceMs / 1_000))],
    {
      env: { PATH: '/usr/bin:/bin' },
      stdio: ['pipe', 'ignore', 'ignore'],
      // A session of its own: what ends this process's group must not end the guard.
      detached: true,
    },
  );
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  return {
    end: () => {
      shell.kill('SIGKILL');
    },
  };
}
