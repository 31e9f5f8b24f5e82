import { spawn } from 'node:child_process';

/**
 * Ends a process as soon as this one is gone, even after `kill -9`.
 *
 * A shell waits for the end of its input, which this process alone holds open.
 * @param pid - of a process, or the negative id of a process group
 * @returns releases the guard; to be called when the process has ended
 */
export function guard(pid: number, signal: 'KILL' | 'QUIT' = 'KILL'): () => void {
  // A frozen process does not hear any other signal than KILL before it goes on.
  const script = 'read -r _; kill -s CONT -- "$1"; kill -s "$2" -- "$1"';
  const watcher = spawn('/bin/sh', ['-c', script, 'guard', String(pid), signal], {
    // A session of its own: Ctrl-C in a terminal must not end the guard first.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.on('error', () => {});
  watcher.stdin.on('error', () => {});
  watcher.unref();
  if ('unref' in watcher.stdin && typeof watcher.stdin.unref === 'function') watcher.stdin.unref();
  return () => {
    watcher.kill('SIGKILL');
    watcher.stdin.destroy();
  };
}
