import { describe, expect, test } from '@jest/globals';
import { accessDenied, errorOf, FakeCloud, rekey } from './fixture.ts';

const commands = [
  'secret list',
  'secret show',
  'secret rotate',
  'revoke',
  'audit tail',
  'audit verify',
  'doctor',
];

describe('help', () => {
  test.each(commands)('%s shows usage, global options and examples, and ends with 0', async (command) => {
    const { exitCode, stdout, stderr } = await rekey(new FakeCloud(), [...command.split(' '), '--help']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`Usage: rekey ${command}`);
    expect(stdout).toContain('--environment <name>');
    expect(stdout).toMatch(/Examples:\n {2}rekey /);
  });

  test('the root names every command and every exit code', async () => {
    const { stdout } = await rekey(new FakeCloud(), ['--help']);
    for (const word of [
      'secret',
      'revoke',
      'audit',
      'doctor',
      '0  done',
      '1  a check',
      '2  wrong',
      '3  the system',
    ]) {
      expect(stdout).toContain(word);
    }
  });

  test('--version shows the version', async () => {
    expect(await rekey(new FakeCloud(), ['--version'])).toEqual({
      exitCode: 0,
      stdout: '1.2.3\n',
      stderr: '',
    });
  });
});

describe('wrong usage ends with 2 and says what is wrong', () => {
  test.each([
    [['secret', 'lits'], /unknown command 'lits'[\s\S]*list/],
    [[], /Usage: rekey/],
    [['secret', 'list', '--nope'], /unknown option '--nope'/],
    [['secret', 'show'], /^error: rekey secret show needs\n {2}<name> {2}full name, or ARN/],
    [['secret', 'show', ''], /must not be empty/],
    [['revoke', 'x', '--mode', 'erase', '--reason', 'y'], /Allowed choices are replace, kill/],
    [['secret', 'rotate', 'x', '--timeout', '5 parsecs'], /is not a duration/],
    [['audit', 'tail', '--since', 'yesterday'], /neither a duration/],
    [['audit', 'verify', '--expect-head', '12'], /--expect-head "12" is not/],
  ])('%j', async (argv, message) => {
    const { exitCode, stdout, stderr } = await rekey(new FakeCloud(), argv);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
  });

  test.each([
    [['list'], 'rekey approval list" or "rekey incident list" or "rekey secret list'],
    [['show', '/prod/orders/db'], 'rekey approval show" or "rekey incident show" or "rekey secret show'],
    [['rotate', '/prod/orders/db', '--wait'], 'rekey secret rotate'],
    [['rotat'], 'rekey secret rotate'],
    [['tail', '-f'], 'rekey audit tail'],
    [['verify'], 'rekey audit verify'],
    [['migrate'], 'rekey config migrate'],
    [['secrets', 'list'], 'rekey secret'],
    [['secret', 'lits'], 'rekey approval list" or "rekey incident list" or "rekey secret list'],
    [['secret', 'revoke', '/prod/orders/db'], 'rekey revoke'],
    [['audit', 'show'], 'rekey approval show" or "rekey incident show" or "rekey secret show'],
    [['hlep'], 'rekey help'],
  ])('%j: a command is suggested in full, wherever it is', async (argv, meant) => {
    const { exitCode, stderr } = await rekey(new FakeCloud(), argv);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^error: unknown command '[a-z]+'; did you mean "/);
    expect(stderr).toContain(`; did you mean "${meant}"?\n(--help shows how)`);
    const { message } = errorOf(await rekey(new FakeCloud(), [...argv, '--json']));
    expect(message).toMatch(new RegExp(`^unknown command '[a-z]+'; did you mean "${meant}"\\?$`));
  });

  test('a revocation without a mode is told which one to take in an emergency, and why', async () => {
    const argv = ['revoke', '/prod/orders/db'];
    const { exitCode, stderr } = await rekey(new FakeCloud(), argv);
    expect(exitCode).toBe(2);
    expect(stderr).toBe(`error: rekey revoke needs
  --mode <mode>    kill, in an emergency: the leaked credential dies first, even
                   if no new one can be made; consumers fail until they read the
                   new one. replace, where that outage is worse than a leak that
                   works some seconds longer: the new one comes first, and if
                   that fails, nothing is cut off
  --reason <text>  why; it goes into the audit log, so no secret in it
(--help shows how)
`);
    const { message } = errorOf(await rekey(new FakeCloud(), [...argv, '--reason', 'leaked', '--json']));
    expect(message).toMatch(
      /^rekey revoke needs --mode <mode> \(kill, in an emergency: [^\n]*, nothing is cut off\)$/,
    );
  });

  test.each([
    [['revoke'], ['--mode <mode>', '--reason <text>']],
    [['revoke', '--mode', 'kill'], ['--reason <text>']],
    [['revoke', '/prod/orders/db', '--mode', 'kill'], ['--reason <text>']],
    [['pause'], ['--for <duration>', '--reason <text>']],
    [['pause', '/prod/orders/db', '--reason', 'upgrade'], ['--for <duration>']],
    [['secret', 'rotate', '--wait'], ['<name>']],
  ])('%j: all that is missing is named at once, and explained', async (argv, missing) => {
    const { exitCode, stderr } = await rekey(new FakeCloud(), argv);
    expect(exitCode).toBe(2);
    const named = [...stderr.matchAll(/^ {2}(\S+(?: <\w+>)?) {2,}\S/gm)].map(([, name]) => name);
    expect(named).toEqual(missing);
  });

  test('a command that is like no other gets no suggestion', async () => {
    const { stderr } = await rekey(new FakeCloud(), ['zebra']);
    expect(stderr).toBe("error: unknown command 'zebra'\n(--help shows how)\n");
  });

  test('with --json the error is a document on standard output', async () => {
    const ran = await rekey(new FakeCloud(), ['secret', 'lits', '--json']);
    expect(ran).toMatchObject({ exitCode: 2, stderr: '' });
    expect(errorOf(ran)).toEqual({
      code: 'UsageInvalid',
      message: expect.stringContaining("unknown command 'lits'"),
      exitCode: 2,
      action: null,
      retryable: false,
    });
  });
});

describe('the environment', () => {
  test('is the only one there is', async () => {
    const { stdout } = await rekey(new FakeCloud(), ['secret', 'list', '--json']);
    expect(JSON.parse(stdout)).toEqual({ environment: 'dev', secrets: [] });
  });

  test('must be chosen when there are several', async () => {
    const cloud = new FakeCloud();
    cloud.environments.prod = { auditBucket: 'b' };
    expect(errorOf(await rekey(cloud, ['secret', 'list', '--json']))).toMatchObject({
      code: 'EnvironmentAmbiguous',
      message: expect.stringContaining('dev, prod'),
      exitCode: 2,
    });
    const chosen = await rekey(cloud, ['secret', 'list', '--json'], {
      variables: { REKEY_ENVIRONMENT: 'prod' },
    });
    expect(JSON.parse(chosen.stdout).environment).toBe('prod');
    const flag = await rekey(cloud, ['-e', 'dev', 'secret', 'list', '--json'], {
      variables: { REKEY_ENVIRONMENT: 'prod' },
    });
    expect(JSON.parse(flag.stdout).environment).toBe('dev');
  });

  test.each([
    ['staging', /no environment staging[\s\S]*deployed here: dev/],
    ['../dev', /cannot be an environment's name/],
  ])('%s is not known', async (name, message) => {
    const ran = await rekey(new FakeCloud(), ['secret', 'list', '--environment', name]);
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toMatch(message);
  });

  test('nothing deployed, and a caller who may not list', async () => {
    const cloud = new FakeCloud();
    cloud.environments = {};
    expect(errorOf(await rekey(cloud, ['doctor', '--json']))).toMatchObject({
      code: 'EnvironmentMissing',
      exitCode: 2,
    });
    cloud.listingDenied = true;
    expect(errorOf(await rekey(cloud, ['doctor', '--json']))).toMatchObject({
      code: 'AccessDenied',
      message: expect.stringContaining('--environment'),
      exitCode: 3,
    });
  });
});

const named = (name: string, message: string, more: object = {}) =>
  Object.assign(new Error(message), { name }, more);

describe('what the system answers ends with 3 and says what to do', () => {
  test.each([
    [
      'AccessDenied',
      accessDenied('ssm:GetParametersByPath'),
      /not authorized to perform: ssm:GetParametersByPath/,
    ],
    ['CredentialsMissing', named('CredentialsProviderError', 'Could not load'), /--profile/],
    ['CredentialsExpired', named('ExpiredTokenException', 'expired'), /sign in again/],
    [
      'CredentialsInvalid',
      named('UnrecognizedClientException', 'invalid'),
      /does not accept these credentials/,
    ],
    ['RegionMissing', new Error('Region is missing'), /--region/],
    ['Unreachable', named('Error', 'connect', { code: 'ECONNREFUSED' }), /got no answer \(ECONNREFUSED\)/],
    ['Unreachable', new Error('x', { cause: named('Error', 'y', { code: 'ENOTFOUND' }) }), /ENOTFOUND/],
    ['EndpointUntrusted', named('Error', 'x', { code: 'SELF_SIGNED_CERT_IN_CHAIN' }), /NODE_EXTRA_CA_CERTS/],
    ['Throttled', named('ThrottlingException', 'slow down'), /try again/],
    ['Unexpected', new TypeError('password is hunter2'), /withheld/],
  ])('%s', async (code, error, message) => {
    const cloud = new FakeCloud();
    cloud.failures.deployments = error;
    const ran = await rekey(cloud, ['secret', 'list']);
    expect(ran).toMatchObject({ exitCode: 3, stdout: '' });
    expect(ran.stderr).toMatch(new RegExp(`^rekey: ${code}: `));
    expect(ran.stderr).toMatch(message);
    expect(ran.stderr).not.toContain('hunter2');
  });
});

describe('escape codes', () => {
  const escapes = '\u001b[';

  test.each([
    [{}, [], false],
    [{ terminal: true }, [], true],
    [{ terminal: true }, ['--no-color'], false],
    [{ terminal: true, variables: { NO_COLOR: '1' } }, [], false],
    [{ terminal: true, variables: { TERM: 'dumb' } }, [], false],
  ])('%j %j: %s', async (options, flags, expected) => {
    const cloud = new FakeCloud();
    cloud.add('orders');
    const { stdout } = await rekey(cloud, ['secret', 'list', ...flags], options);
    expect(stdout).toContain('orders');
    expect(stdout.includes(escapes)).toBe(expected);
  });

  test('a pipe gets none from any command, not even progress', async () => {
    const cloud = new FakeCloud();
    cloud.add('orders');
    for (const argv of [['secret', 'list'], ['secret', 'show', 'orders'], ['audit', 'verify'], ['doctor']]) {
      const { stdout, stderr } = await rekey(cloud, argv);
      expect(stdout + stderr).not.toContain('\u001b');
      expect(stdout).not.toBe('');
    }
  });

  test('control characters in data do not reach the terminal', async () => {
    const cloud = new FakeCloud();
    cloud.add('orders', undefined, { owner: 'eve\u001b[2J\u0007\nroot' });
    const { stdout } = await rekey(cloud, ['secret', 'list']);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toContain('\u0007');
    expect(stdout).toContain('eve\ufffd[2J\ufffd\ufffdroot');
  });
});
