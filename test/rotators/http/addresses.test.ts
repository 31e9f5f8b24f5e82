import type { LookupAddress } from 'node:dns';
import { expect, test } from '@jest/globals';
import { anyAddress, isPublicAddress, PrivateAddress, publicOnly } from '../../../rotators/http/addresses.ts';

test.each([
  ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.8.8.8', '169.254.169.254'],
  ...['172.16.0.1', '172.31.255.255', '192.168.0.1', '198.18.0.1', '224.0.0.1', '255.255.255.255'],
  ...['::', '::1', 'fc00::1', 'fd00:ec2::254', 'fe80::1', 'ff02::1', '2001:db8::1', '2002:a00:1::'],
  ...['::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '0:0:0:0:0:ffff:10.0.0.1'],
  ...[
    '64:ff9b::10.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b::',
    '64:ff9b::1',
    '64:ff9b::7f00:0',
    '64:ff9b:1::1',
  ],
  ...['192.88.99.1', '::7f00:1', '::10.0.0.1', '::ffff:0:127.0.0.1', '::ffff:0:a9fe:a9fe'],
  ...['', 'localhost', '8.8.8.8.8', '0x7f.1'],
])('%s is not of the public internet', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each([
  ...['8.8.8.8', '1.1.1.1', '100.63.255.255', '100.128.0.1', '172.15.0.1', '172.32.0.1', '11.0.0.1'],
  ...['2606:4700::1111', '2a00:1450::1', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8'],
])('%s is', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

const four = (address: string): LookupAddress => ({ address, family: 4 });
type Found = { error?: unknown; addresses?: unknown };
const ask = (function_: ReturnType<typeof publicOnly>, options: { all?: boolean; family?: number } = {}) =>
  new Promise<Found>((resolve) =>
    function_('name.example', options as never, (error, addresses) =>
      resolve(error === null ? { addresses } : { error }),
    ),
  );

test('one address that is not public is enough to refuse a name, and it is named', async () => {
  const resolve = async () => [four('8.8.8.8'), four('10.0.0.1')];
  for (const options of [{ all: true }, { family: 4 }, {}]) {
    const { error } = await ask(publicOnly(resolve), options);
    expect(error).toBeInstanceOf(PrivateAddress);
    expect((error as PrivateAddress).address).toBe('10.0.0.1');
  }
  expect(await ask(anyAddress(resolve), { all: true })).toEqual({ addresses: await resolve() });
});

test('a name is resolved once for each connection, so what was checked is what is called', async () => {
  let calls = 0;
  const rebinding = async () => {
    calls += 1;
    return [four(calls === 1 ? '8.8.8.8' : '127.0.0.1')];
  };
  expect(await ask(publicOnly(rebinding), { all: true })).toEqual({ addresses: [four('8.8.8.8')] });
  expect(calls).toBe(1);
  expect((await ask(publicOnly(rebinding))).error).toBeInstanceOf(PrivateAddress);
});

test('a name without an address of the wanted family is not found', async () => {
  expect(
    (
      await ask(
        publicOnly(async () => [four('8.8.8.8')]),
        { family: 6 },
      )
    ).error,
  ).toMatchObject({
    code: 'ENOTFOUND',
  });
});
