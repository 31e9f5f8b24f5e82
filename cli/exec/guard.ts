import { spawn } from 'node:child_process';

/** A shell that ends a process when this one is gone. */
interface Guard {
  /** Says what it ends: the number of a process, or of a group with a minus. */
  watch(target: number): void;
  end(): void;
}

/** Reads whom it ends, and waits for the end of its input. That comes when this process ends, however it does. */
const script = `
read -r target || exit 0
read -r _
kill -s TERM -- "$target" 2>/dev/null || exit 0
left=$1
while [ "$left" -gt 0 ] && kill -s 0 -- "$target" 2>/dev/null; do sleep 1; left=$((left - 1)); done
kill -s KILL -- "$target" 2>/dev/null
`;

/**
 * Starts a guard. A process that holds secrets so outlives the one that watches them by no more than its grace, even after
 * `kill -9`, which no handler can see. Where there is no `/bin/sh` there is no guard. It is there before the process is, and hears of
 * it in the turn that starts it: a guard that came later would miss a `kill -9` in between.
 */
export function startGuard(graceMs: number): Guard {
  const shell = spawn('/bin/sh', ['-c', script, 'rekey-guard', String(Math.ceil(graceMs / 1_000))], {
    env: { PATH: '/usr/bin:/bin' },
    stdio: ['pipe', 'ignore', 'ignore'],
    // A session of its own: what ends this process's group must not end the guard.
    detached: true,
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  return {
    watch: (target) => {
      shell.stdin.write(`${target}\n`);
    },
    end: () => {
      shell.kill('SIGKILL');
    },
  };
}
