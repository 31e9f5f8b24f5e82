import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { proberWith } from '../../cli/preflight/prober.ts';

/** A trial of a value that cannot be tried says why, and repeats nothing of it. */

const tryOut = proberWith(undefined);
const sentinel = 'sentinel-value';

test.each([
  ['no JSON', sentinel, undefined, /no JSON/],
  ['no engine and no definition', `{"a":"${sentinel}"}`, undefined, /its type is not known/],
  ['an engine that nobody knows', `{"engine":"${sentinel}"}`, undefined, /its type is not known/],
  ['a type that nobody can be asked about', `{"password":"${sentinel}"}`, 'generic', /type generic/],
  [
    'another form',
    `{"engine":"postgres","host":7,"password":"${sentinel}"}`,
    undefined,
    /not the form of type postgresql: .*host/,
  ],
  ['a JSON of nothing', 'null', 'postgresql', /not the form of type postgresql/],
])('%s', async (_what, value, type, message) => {
  const trial = await tryOut(value, type);
  expect(trial).toMatchObject({ outcome: 'unproven', message: expect.stringMatching(message) });
  expect(JSON.stringify(trial)).not.toContain(sentinel);
});

test('a target that does not answer proves nothing', async () => {
  const closed = createServer();
  await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done));
  const { port } = closed.address() as AddressInfo;
  await new Promise((done) => closed.close(done));
  const value = { engine: 'postgres', host: '127.0.0.1', port, username: 'app', password: sentinel };
  const trial = await tryOut(JSON.stringify(value), undefined);
  expect(trial).toMatchObject({
    outcome: 'unproven',
    message: expect.stringMatching(/^TargetUnreachable: /),
  });
  expect(JSON.stringify(trial)).not.toContain(sentinel);
});
