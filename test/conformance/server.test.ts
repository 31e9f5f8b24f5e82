import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import pg from 'pg';
import { newServerFolder } from '../../local/process/folders.ts';
import { startPostgres } from '../../local/servers/postgres.ts';

const module = join(import.meta.dirname, '../../local/servers/postgres.ts');

test('a server that a killed process left behind is ended by the next start on its folder', async () => {
  const directory = await newServerFolder('postgres');
  const script = `
    const { startPostgres } = await import(process.argv[1]);
    const { port } = await startPostgres({ directory: process.argv[2] });
    console.log(port);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, module, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.once('data', (text) => resolve(Number(text)));
    child.once('exit', () => reject(new Error('the first server did not start')));
  });
  child.kill('SIGKILL');
  await sleep(50);
  const server = await startPostgres({ directory, port });
  try {
    const { username: user, password } = server.superuser;
    const client = new pg.Client({
      host: server.host,
      port,
      user,
      password,
      database: 'postgres',
      ssl: { ca: server.caPem },
    });
    await client.connect();
    expect((await client.query('SHOW ssl')).rows).toEqual([{ ssl: 'on' }]);
    await client.end();
  } finally {
    await server.remove();
    await rm(directory, { recursive: true, force: true });
  }
});
