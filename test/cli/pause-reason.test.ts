import { expect, test } from '@jest/globals';
import { detailSchema } from '../../core/events/catalogue.ts';
import { ago, FakeCloud, healthy, hour, rekey } from './fixture.ts';

/** What the audit writer would record without its data, since it does not fit the catalogue. */
const faults = (cloud: FakeCloud) =>
  cloud.published.flatMap(({ detailType, detail }) =>
    (detailSchema(detailType).safeParse(detail).error?.issues ?? []).map(({ path }) => path.join('.')),
  );

const long = 'x'.repeat(1_025);

function world(): FakeCloud {
  const cloud = new FakeCloud();
  cloud.add('orders', healthy);
  cloud.brakes = {
    rotation: {
      version: 3,
      state: {
        code: 'c',
        functionName: 'rotation',
        proven: true,
        failed: ['orders-AbCdEf'],
        brakedAt: ago(hour).toISOString(),
      },
    },
  };
  return cloud;
}

test('a pause whose reason is too long for a record is refused, or is recorded with its data', async () => {
  const cloud = world();
  const { exitCode } = await rekey(cloud, ['pause', 'orders', '--for', '4h', '--reason', long, '--yes']);
  expect({ faults: faults(cloud), exitCode: cloud.published.length === 0 ? exitCode : 2 }).toEqual({
    faults: [],
    exitCode: 2,
  });
});

test('so is a brake that is let go', async () => {
  const cloud = world();
  await rekey(cloud, ['resume', 'orders', '--reason', long, '--yes']);
  expect(faults(cloud)).toEqual([]);
});
