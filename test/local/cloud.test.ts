import { spawn } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { attachCloud, startCloud, stopCloud } from '../../local/emulator/cloud.ts';
import { ensurePython } from '../../local/emulator/python.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { refusalText } from './support/refusal.ts';
import { deployStack, nodeFunction, role } from './support/stack.ts';

const cloudModule = join(import.meta.dirname, '..', '..', 'local', 'emulator', 'cloud.ts');

describe('The local cloud', () => {
  let home: string;

  beforeAll(async () => {
    home = await newFolder('cloud');
  });

  afterAll(async () => {
    for (const name of await readdir(home)) await stopCloud(join(home, name));
    await rm(home, { recursive: true, force: true });
  });

  async function processOf(directory: string): Promise<number> {
    return JSON.parse(await readFile(join(directory, 'cloud.json'), 'utf8')).pid;
  }

  function groupIsGone(leader: number): boolean {
    try {
      process.kill(-leader, 0);
      return false;
    } catch {
      return true;
    }
  }

  test('answers over TLS that its own authority signed, with IAM enforced, and stops with its workers', async () => {
    const directory = join(home, 'plain');
    const cloud = await startCloud({ directory });
    const pid = await processOf(directory);
    const secrets = new SecretsManagerClient(cloud.clientOptions());
    expect((await secrets.send(new ListSecretsCommand({}))).SecretList).toEqual([]);
    const { requestHandler: _, ...untrusting } = cloud.clientOptions();
    const distrust = new SecretsManagerClient({ ...untrusting, maxAttempts: 1 });
    expect(await refusalText(distrust.send(new ListSecretsCommand({})))).toContain('certificate');
    const stranger = { accessKeyId: 'AKIAUNKNOWNUNKNOWN00', secretAccessKey: 'unknown' };
    const unknown = new SecretsManagerClient(cloud.clientOptions(stranger));
    expect(await refusalText(unknown.send(new ListSecretsCommand({})))).toContain(
      'UnrecognizedClientException',
    );
    const { outputs } = await deployStack(cloud, 'worker', {
      Role: role('lambda.amazonaws.com'),
      Function: nodeFunction('exports.handler = async () => process.pid;', 'Role'),
    });
    const lambda = new LambdaClient(cloud.clientOptions());
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: outputs.FunctionRef }));
    const worker = Number(Buffer.from(Payload ?? []).toString());
    expect(() => process.kill(worker, 0)).not.toThrow();
    await cloud.stop();
    await cloud.stop();
    await eventually('the processes to end', async () => groupIsGone(pid));
    expect(() => process.kill(worker, 0)).toThrow('ESRCH');
    expect(await readdir(directory)).toEqual(expect.not.arrayContaining(['cloud.json', 'tmp', 'state']));
  });

  test('names the port that is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const start = startCloud({ directory: join(home, 'taken'), port });
    expect(await refusalText(start)).toMatch(
      new RegExp(`^CloudPortTaken: Port ${port} on 127.0.0.1 cannot be used`),
    );
    await new Promise((resolve) => server.close(resolve));
  });

  test('runs once per directory, is reached and stopped from elsewhere when detached', async () => {
    const directory = join(home, 'detached');
    const cloud = await startCloud({ directory, detached: true });
    const pid = await processOf(directory);
    expect(await refusalText(startCloud({ directory }))).toMatch(
      /^CloudAlreadyRunning: .*npm run local:down/,
    );
    const attached = await attachCloud(directory);
    expect(attached?.endpoint).toBe(cloud.endpoint);
    expect(attached?.environment).toEqual(cloud.environment);
    expect(await stopCloud(directory)).toBe(true);
    await eventually('the process to end', async () => groupIsGone(pid));
    expect(await stopCloud(directory)).toBe(false);
    expect(await attachCloud(directory)).toBeUndefined();
  });

  test('leaves a process alone that only has the pid of an instance that is gone', async () => {
    const directory = join(home, 'stale');
    await mkdir(directory, { recursive: true });
    await writeFile(
      join(directory, 'cloud.json'),
      JSON.stringify({ pid: process.pid, port: 1, name: 'another instance' }),
    );
    expect(await stopCloud(directory)).toBe(false);
    const cloud = await startCloud({ directory });
    await cloud.stop();
  });

  test('ends with the process that started it, and a start after that is clean', async () => {
    const directory = join(home, 'orphan');
    const script = `
      const { startCloud } = await import(${JSON.stringify(cloudModule)});
      await startCloud({ directory: ${JSON.stringify(directory)} });
      process.kill(process.pid, 'SIGKILL');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
    await new Promise((resolve) => child.once('exit', resolve));
    const pid = await processOf(directory);
    await eventually('the orphan to end', async () => groupIsGone(pid));
    const cloud = await startCloud({ directory });
    await cloud.stop();
  });
});

describe("The local cloud's Python", () => {
  let directory: string;

  beforeAll(async () => {
    directory = await newFolder('python');
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  test('is named when it is missing, or too old', async () => {
    const absent = join(directory, 'absent');
    expect(await refusalText(ensurePython({ python: absent, directory }))).toMatch(
      /^PythonMissing: The local cloud needs Python 3.10 or later: none of .*absent runs\. .*apt-get install/,
    );
    const old = join(directory, 'python3.9');
    await writeFile(old, `#!/bin/sh\necho ${old}\necho 3.9.18\n`);
    await chmod(old, 0o755);
    expect(await refusalText(ensurePython({ python: old, directory }))).toContain('python3.9 is 3.9.18');
  });

  test('is made once, and again when an earlier run left it half made', async () => {
    const requirementsFile = join(directory, 'requirements.txt');
    await writeFile(requirementsFile, '# nothing\n');
    const lines: string[] = [];
    const options = { directory, requirementsFile, log: (line: string) => lines.push(line) };
    const python = await ensurePython(options);
    expect(await ensurePython(options)).toBe(python);
    expect(lines).toHaveLength(1);
    await rm(join(python, '..', '..', 'complete'));
    await rm(python);
    const lock = join(python, '..', '..', '..', `${python.split('/').at(-3)}.lock`);
    await mkdir(lock);
    await writeFile(join(lock, 'pid'), '4194305');
    expect(await ensurePython(options)).toBe(python);
    expect(lines).toHaveLength(2);
  });

  test('is refused packages without the right hash', async () => {
    const requirementsFile = join(directory, 'wrong.txt');
    await writeFile(requirementsFile, `six==1.17.0 --hash=sha256:${'0'.repeat(64)}\n`);
    const failure = await refusalText(ensurePython({ directory, requirementsFile }));
    expect(failure).toMatch(/^PythonEnvironmentFailed: pip could not install/);
    expect(failure).toContain('HASHES');
  });
});
