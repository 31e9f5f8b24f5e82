import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { emptyHead, encodeObject } from '../../core/audit/format.ts';

// Each test starts processes, which a busy machine slows down.
const checkout = join(import.meta.dirname, '..', '..');
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rekey-cli-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** The real program in a process of its own, with nothing of this one's AWS configuration. */
async function program(
  argv: readonly string[],
  variables: Record<string, string> = {},
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return await new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [join(checkout, 'bin', 'rekey.js'), ...argv],
      {
        timeout: 30_000,
        env: {
          PATH: process.env.PATH,
          HOME: directory,
          NODE_COMPILE_CACHE: join(directory, 'cache'),
          AWS_EC2_METADATA_DISABLED: 'true',
          ...variables,
        },
      },
      (_error, stdout, stderr) => resolve({ exitCode: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

const unreachable = {
  // Port 9 of the own machine: nothing listens on discard.
  AWS_ENDPOINT_URL: 'https://127.0.0.1:9',
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'nobody',
  AWS_SECRET_ACCESS_KEY: 'nothing',
};

/** A home with an AWS configuration of profiles, none of which has credentials. */
async function awsConfiguration(): Promise<string> {
  const home = await mkdtemp(join(directory, 'home-'));
  await mkdir(join(home, '.aws'));
  const config =
    '# mine\n[default]\noutput = json\n\n[profile prod] ; ours\noutput = json\n\n[sso-session nix]\na = b\n';
  await writeFile(join(home, '.aws', 'config'), config);
  await writeFile(join(home, '.aws', 'credentials'), '[keys]\nregion = x\n');
  return home;
}

describe('the program', () => {
  test('shows its help', async () => {
    const { exitCode, stdout, stderr } = await program(['--help']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: rekey /);
  });

  test('help loads no AWS SDK and no schema library', async () => {
    const { stderr } = await program(['secret', 'rotate', '--help'], { NODE_DEBUG: 'esm' });
    expect(stderr).toContain('cli/program.ts');
    expect(stderr).not.toContain('@aws-sdk');
    expect(stderr).not.toContain('node_modules/zod');
  });

  test('no credentials: 3', async () => {
    const { exitCode, stderr } = await program(['secret', 'list'], { AWS_REGION: 'eu-central-1' });
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/^rekey: CredentialsMissing: /);
  });

  test('no region: 3', async () => {
    const { exitCode, stdout } = await program(['secret', 'list', '--json']);
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'RegionMissing', exitCode: 3 } });
  });

  test.each([
    ['--profile', { AWS_REGION: 'eu-central-1' }],
    ['--profile, and no region, which would be in the profile', {}],
    ['--profile, beside keys', { ...unreachable, AWS_ENDPOINT_URL: '' }],
    ['AWS_PROFILE', { AWS_REGION: 'eu-central-1', AWS_PROFILE: 'nix' }],
  ])('a profile that does not exist: 2, by %s', async (how, variables: Record<string, string>) => {
    const home = await awsConfiguration();
    const argv = ['secret', 'list', ...(how === 'AWS_PROFILE' ? [] : ['--profile', 'nix'])];
    const { exitCode, stderr } = await program(argv, { ...variables, HOME: home });
    expect(stderr).toContain(
      'rekey: ProfileUnknown: the profile nix is not in the AWS configuration; aws configure list-profiles lists those that are\n',
    );
    expect(exitCode).toBe(2);
  });

  test('the nearest profiles of both files are named', async () => {
    const home = await awsConfiguration();
    const asked = async (profile: string) =>
      (await program(['secret', 'list', '--profile', profile], { HOME: home })).stderr;
    expect(await asked('prd')).toContain('; did you mean prod? aws configure list-profiles lists all');
    expect(await asked('keysx')).toContain('; did you mean keys? aws configure list-profiles lists all');
  });

  test('a profile that exists, without credentials: 3', async () => {
    const variables = { AWS_REGION: 'eu-central-1', HOME: await awsConfiguration() };
    const { exitCode, stderr } = await program(['secret', 'list', '--profile', 'prod'], variables);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/^rekey: CredentialsMissing: /);
  });

  test('an endpoint that is not there: 3, with the action', async () => {
    const { exitCode, stdout } = await program(['-e', 'dev', 'secret', 'list', '--json'], unreachable);
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'Unreachable', action: 'ssm:GetParametersByPath' },
    });
  });

  test('verifies a copy without AWS, and finds the altered record', async () => {
    const copy = join(directory, 'copy');
    await mkdir(join(copy, 'entries'), { recursive: true });
    const event = {
      id: '1',
      source: 'rekey.rotation',
      detailType: 'Finding Raised',
      time: '2026-03-10T12:00:00Z',
      account: '1',
      region: 'r',
      detail: { metadata: { id: 'finding-1' }, data: { message: 'plaintext' } },
    };
    const { key, body } = encodeObject(emptyHead, [event, event], new Date('2026-03-10T12:00:00Z'));
    await writeFile(join(copy, key), body);
    const intact = await program(['audit', 'verify', '--from', copy]);
    expect(intact).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Intact: all 2 records') });

    const altered = join(directory, 'altered');
    await cp(copy, altered, { recursive: true });
    await writeFile(join(altered, key), Buffer.from(body).toString().replace('plaintext', 'TLS only'));
    const found = await program(['audit', 'verify', '--from', altered]);
    expect(found).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/RecordAltered +1 +record 1 was altered/),
    });
  });

  test('a directory that is no copy: 3', async () => {
    const { exitCode, stderr } = await program(['audit', 'verify', '--from', join(directory, 'nowhere')]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('CopyMissing');
  });
});
