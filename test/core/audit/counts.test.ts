import { describe, expect, test } from '@jest/globals';
import { unrecognised } from '../../../core/audit/event.ts';
import { objectKey } from '../../../core/audit/format.ts';
import { type AuditLogSource, verifyLog } from '../../../core/audit/verify.ts';
import { finding, lifecycle, logOf, sampleLog, start } from './sample.ts';

const now = new Date(start + 60_000);

describe('a report', () => {
  test('counts events that the catalogue does not know, and facts that were recorded more than once', async () => {
    const unknown = lifecycle(unrecognised, { detailType: 'Something New' }, 'x');
    const log = logOf([finding(1), finding(2), finding(1), unknown, finding(2), finding(2)]);
    expect(await verifyLog(log, { now })).toMatchObject({ records: 6, repeated: 3, unrecognised: 1 });
  });

  test('counts the bytes of all objects', async () => {
    const { store } = sampleLog([2, 3]);
    const bodies = [...store.objects.values()].flatMap((versions) => versions.map(({ body }) => body));
    const bytes = bodies.reduce((sum, body) => sum + (body?.length ?? 0), 0);
    expect(bytes).toBeGreaterThan(1000);
    expect(await verifyLog(store, { now })).toMatchObject({ objects: 2, bytes });
  });

  test('names an object that cannot be read by its key, and by its version where there are versions', async () => {
    const key = objectKey(1);
    const unreadable = async (version: { readonly versionId?: string }) => {
      const { problems } = await verifyLog(
        {
          versions: async function* () {
            yield { key, deleteMarker: false, latest: true, ...version };
          },
          read: async () => {
            throw new Error('no connection');
          },
        },
        { now },
      );
      return problems;
    };
    const message = `object ${key} could not be read: no connection`;
    expect(await unreadable({ versionId: 'v1' })).toStrictEqual([
      { code: 'ObjectUnreadable', message, key, versionId: 'v1' },
    ]);
    expect(await unreadable({})).toStrictEqual([{ code: 'ObjectUnreadable', message, key }]);
  });

  test('names a record at the end of an object that has no line feed', async () => {
    const { store } = sampleLog([2]);
    const body = store.objects.get(objectKey(1))?.[0]?.body ?? new Uint8Array();
    store.objects.set(objectKey(1), [{ versionId: 'copy', body: body.subarray(0, -1) }]);
    expect((await verifyLog(store, { now })).problems).toEqual([
      expect.objectContaining({
        code: 'RecordMalformed',
        message: 'where record 2 should stand is no record: the line does not end with a line feed',
        sequence: 2,
      }),
    ]);
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
