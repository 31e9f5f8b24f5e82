import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Cleanup } from '../../local/process/cleanup.ts';
import { findRedis } from '../../local/servers/redis.ts';
import { acts } from '../../local/tour/acts/index.ts';
import { availableTypes } from '../conformance/scene.ts';
import { access } from './access.ts';
import { brake } from './brake.ts';
import { fingerprints } from './fingerprints.ts';
import { lifecycle } from './lifecycle.ts';
import { matrix } from './matrix.ts';
import { revocation } from './revocation.ts';
import { rotation } from './rotation.ts';
import { sentinel } from './sentinel.ts';
import { several } from './several.ts';
import { signals } from './signals.ts';
import { types } from './types.ts';
import { openWorld, type World } from './world.ts';

/** One real deploy, IAM and TLS enforced, for everything; the sections run in this order. */
const cleanup = new Cleanup();
let deployed: World | undefined;
const world = (): World => {
  if (deployed === undefined) {
    throw new Error('the deployment did not come up');
  }
  return deployed;
};
beforeAll(async () => {
  deployed = await openWorld(cleanup);
});
afterAll(() => cleanup.run());

// First, because the schedule of rotation is tried by moving the cloud's clock.
types(world, [
  ...(['mysql', 'redis', 'iam-access-key', 'rds-admin', 'elasticache'] as const).filter((type) =>
    availableTypes.includes(type),
  ),
  'http',
  'generic',
  'external',
]);
rotation(world);
brake(world);
lifecycle(world);
access(world);
fingerprints(world);
matrix(world);
revocation(world);
several(world);
signals(world);

const playable = acts((await findRedis()) !== undefined);
describe('the acts of the tour hold', () => {
  test.each(playable)('%s', async (_name, act) => {
    const shown = await act(world(), () => {});
    expect(shown.length).toBeGreaterThan(0);
  });
});

sentinel(world);
