import { describe, expect, test } from '@jest/globals';
import { unrecognised } from '../../../core/audit/event.ts';
import { type AuditLogSource, verifyLog } from '../../../core/audit/verify.ts';
import { finding, lifecycle, logOf, sampleLog, start } from './sample.ts';

const now = new Date(start + 60_000);

describe('a report', () => {
  test('counts events that the catalogue does not know, and facts that were recorded more than once', async () => {
    const unknown = lifecycle(unrecognised, { detailType: 'Something New' }, 'x');
    const log = logOf([finding(1), finding(2), finding(1), unknown, finding(2), finding(2)]);
    expect(await verifyLog(log, { now })).toMatchObject({ records: 6, repeated: 3, unrecognised: 1 });
  });
});

describe('reading ahead', () => {
  /** A log of six objects that notes how many of them are being read at the most. */
  async function mostAtOnce(concurrency: number) {
    const { store } = sampleLog([1, 1, 1, 1, 1, 1]);
    let [reading, most] = [0, 0];
    const source: AuditLogSource = {
      versions: () => store.versions(),
      read: async (version) => {
        reading += 1;
        most = Math.max(most, reading);
        // Not before the objects behind it had their chance.
        await new Promise((resolve) => setImmediate(resolve));
        reading -= 1;
        return await store.read(version);
      },
    };
    const { objects, intact } = await verifyLog(source, { now, concurrency });
    return { most, objects, intact };
  }

  test.each([1, 2, 4])('%i at once are read, and no more, and each of them once', async (concurrency) => {
    expect(await mostAtOnce(concurrency)).toEqual({ most: concurrency, objects: 6, intact: true });
  });
});
