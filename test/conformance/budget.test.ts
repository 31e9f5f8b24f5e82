import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type CountingProxy, startProxy } from '../../bench/proxy.ts';
import { limits } from '../../bench/report.ts';
import { describeEach } from './each.ts';
import { Scene, startTarget, stopTargets, type Target } from './scene.ts';

afterAll(stopTargets);

describeEach(({ type, strategy, issued }) => {
  // The limit is one of passwords: an API that issues takes as many requests as it needs.
  if (strategy !== 'single-user' || issued) return;
  let target: Target;
  let proxy: CountingProxy | undefined;
  beforeAll(async () => {
    target = await startTarget(type);
  });
  afterAll(async () => {
    await proxy?.close();
  });

  test('keeps to its connections in a single-user rotation', async () => {
    const account = await target.createAccount();
    const { host, port } = account.secret;
    if (typeof host !== 'string' || typeof port !== 'number') {
      throw new Error(`secrets of ${type} name no host and port to count connections at`);
    }
    proxy = await startProxy(host, port);
    const secret = { ...account.secret, port: proxy.port };
    const admin = { ...account.admin, port: proxy.port };
    await new Scene(target, strategy, { secret, admin }).rotate();
    expect(proxy.connections).toBeGreaterThan(0);
    expect(proxy.connections).toBeLessThanOrEqual(limits.connectionsSingleUser);
  });
});
