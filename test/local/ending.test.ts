import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newFolder, newServerFolder } from '../../local/process/folders.ts';
import { findRedis } from '../../local/servers/redis.ts';
import { eventually } from '../../local/tour/eventually.ts';

let folders: string[] = [];
beforeAll(async () => {
  folders = [await newFolder('owner'), await newServerFolder('owner')];
});
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

const local = join(import.meta.dirname, '..', '..', 'local');

/** Starts everything that a tour starts, and a program that would run for ever. */
const script = `
  const { startCloud } = await import(process.env.LOCAL + '/emulator/cloud.ts');
  const { startPostgres } = await import(process.env.LOCAL + '/servers/postgres.ts');
  const { startRedis, findRedis } = await import(process.env.LOCAL + '/servers/redis.ts');
  const { run } = await import(process.env.LOCAL + '/process/run.ts');
  await startCloud({ directory: process.env.FOLDER + '/cloud' });
  await startPostgres({ directory: process.env.SERVERS + '/postgres' });
  if (await findRedis()) await startRedis({ directory: process.env.SERVERS + '/redis' });
  void run('sh', ['-c', 'sleep 1000; echo ' + process.env.FOLDER], {}, 1_000_000);
  console.log('started');
  setInterval(() => {}, 1_000);
`;

interface Running {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

async function processes(): Promise<Running[]> {
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-A', '-o', 'pid=,ppid=,stat=,args=']);
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    const ended = state === undefined || state.startsWith('Z');
    return ended ? [] : [{ pid: Number(pid), parent: Number(parent), command: command ?? '' }];
  });
}

/** Everything that a process started, and what that started in turn. */
async function startedBy(pid: number): Promise<Running[]> {
  const all = await processes();
  const found = all.filter(({ parent }) => parent === pid);
  for (const one of found) found.push(...all.filter(({ parent }) => parent === one.pid));
  return found;
}

async function startOwner(): Promise<ChildProcess> {
  const [FOLDER = '', SERVERS = ''] = folders;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, LOCAL: local, FOLDER, SERVERS },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  owner.stderr.on('data', (text) => {
    said += String(text);
  });
  await new Promise<void>((resolve, reject) => {
    owner.stdout.once('data', () => resolve());
    owner.once('exit', (code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
  return owner;
}

test.each(['SIGKILL', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'nothing that a process started is left when it ends by %s',
  async (signal) => {
    const owner = await startOwner();
    const started = await startedBy(owner.pid ?? 0);
    const commands = started.map(({ command }) => command).join('\n');
    for (const program of ['-m cloud', 'postgres -D', 'sleep 1000']) expect(commands).toContain(program);
    if ((await findRedis()) !== undefined) expect(commands).toMatch(/(redis|valkey)-server/);
    owner.kill(signal);
    await eventually(
      'everything to end',
      async () => {
        const now = await processes();
        return !now.some(({ pid }) => pid === owner.pid || started.some((one) => one.pid === pid));
      },
      60_000,
    );
  },
);
