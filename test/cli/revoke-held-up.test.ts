import { expect, test } from '@jest/globals';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { FakeCloud, healthy, rekey } from './fixture.ts';

const throttled = (action: string) => new RekeyError('Throttled', `Secrets Manager: ${action} is throttled`);
const thrown = (name: string) =>
  Object.assign(new Error('text'), { name, $metadata: { httpStatusCode: 400 } });

/**
 * docs/cli.md: "An emergency is not held up by what only helps the plan". Invariant 17: "Nothing that stops ... a part of the
 * account stops an emergency".
 */
const ask = async (change: (cloud: FakeCloud) => void) => {
  const cloud = new FakeCloud();
  cloud.add('orders', healthy);
  change(cloud);
  const argv = [
    'revoke',
    'orders',
    '--environment',
    'dev',
    '--mode',
    'kill',
    '--reason',
    'leaked',
    '--yes',
    '--json',
  ];
  const { exitCode } = await rekey(cloud, argv);
  return { exitCode, published: cloud.published.map(({ detailType }) => detailType) };
};
const sent = { exitCode: 0, published: ['Secret Revocation Requested'] };

test.each([
  ['is throttled', throttled('ListSecretVersionIds')],
  ['does not answer', new RekeyError('Unreachable', 'got no answer')],
  ['fails', new RekeyError('ServiceUnavailable', 'failed')],
])(
  'a request goes out though Secrets Manager, which would list the versions for the plan, %s',
  async (_what, error) => {
    expect(
      await ask((cloud) => {
        cloud.failures.secrets = error;
      }),
    ).toEqual(sent);
  },
);

test.each(['ThrottlingException', 'TimeoutError', 'ServiceUnavailable'])(
  'a request goes out though STS, which would say who asks, answers %s',
  async (name) => {
    expect(
      await ask((cloud) => {
        cloud.failures.identity = thrown(name);
      }),
    ).toEqual(sent);
  },
);

test('a region that is not set is said at once, since no request can go out without', async () => {
  const cloud = new FakeCloud();
  cloud.failures.deployments = new Error('Region is missing');
  const argv = ['revoke', 'orders', '--environment', 'dev', '--mode', 'kill', '--reason', 'leaked', '--yes'];
  const { exitCode, stderr } = await rekey(cloud, argv);
  expect(exitCode).toBe(3);
  expect(stderr).toMatch(/^rekey: RegionMissing: [^\n]+\n$/);
  expect(cloud.published).toEqual([]);
});
