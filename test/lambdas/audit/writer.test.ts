import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { emptyHead, encodeObject, objectKey } from '../../../core/audit/format.ts';
import { verifyLog } from '../../../core/audit/verify.ts';
import { AuditWriter } from '../../../lambdas/audit/writer.ts';
import { finding, sampleLog, start } from '../../core/audit/sample.ts';
import { propertyRuns } from '../../property-runs.ts';
import { MemoryAuditStore } from './memory-audit-store.ts';

const clock = { now: () => new Date(start) };
const writerOf = (store: MemoryAuditStore) => new AuditWriter({ store, clock });
const verify = (store: MemoryAuditStore) => verifyLog(store, { now: new Date(start) });

describe('the audit writer', () => {
  test('appends batches, each as one object, without reading once it is warm', async () => {
    const store = new MemoryAuditStore();
    const writer = writerOf(store);
    expect((await writer.append([finding(1), finding(2)])).written).toBe(2);
    const calls = store.calls;
    expect((await writer.append([finding(3)])).written).toBe(1);
    expect(store.calls).toBe(calls);
    expect([...store.objects.keys()]).toEqual([objectKey(1), objectKey(3)]);
    expect(await verify(store)).toMatchObject({ intact: true, records: 3 });
  });

  test('records a fact once: in a batch, in a later one, and by a writer that starts afterwards', async () => {
    const store = new MemoryAuditStore();
    const writer = writerOf(store);
    const again = { ...finding(1), id: 'bus-again', time: '2026-03-05T00:00:00Z' };
    expect((await writer.append([finding(1), again])).written).toBe(1);
    expect((await writer.append([again, finding(2)])).written).toBe(1);
    expect((await writerOf(store).append([finding(1), again, finding(2)])).written).toBe(0);
    expect(await verify(store)).toMatchObject({ intact: true, records: 2, repeated: 0 });
  });

  test('a batch delivered again after a crash between put and answer is not recorded twice', async () => {
    const store = new MemoryAuditStore();
    const put = store.put.bind(store);
    store.put = async (key, body) => {
      await put(key, body);
      throw new Error('connection lost');
    };
    const writer = writerOf(store);
    await expect(writer.append([finding(1), finding(2)])).rejects.toThrow('connection lost');
    store.put = put;
    expect((await writer.append([finding(1), finding(2), finding(3)])).written).toBe(1);
    expect(await verify(store)).toMatchObject({ intact: true, records: 3, repeated: 0 });
  });

  test.each([
    [0, 2],
    [1, 2],
    [999, 2],
    [1000, 2],
    [1001, 4],
    [2500, 5],
    [70_000, 15],
  ])('finds the head of a log of %i objects with %i calls at the most', async (length, calls) => {
    const store = new MemoryAuditStore();
    let head = emptyHead;
    for (let sequence = 1; sequence <= length; sequence += 1) {
      // Only the tail is ever read, so that most objects need no content.
      const object =
        sequence > length - 120 ? encodeObject(head, [finding(sequence)], clock.now()) : undefined;
      store.overwrite(objectKey(sequence), object?.body ?? new Uint8Array());
      head = object?.head ?? { sequence, hash: 'f'.repeat(64) };
    }
    store.calls = 0;
    await writerOf(store).append([finding(9_999)]);
    expect(store.objects.has(objectKey(length + 1))).toBe(true);
    expect(store.calls).toBeLessThanOrEqual(calls);
  });

  test('writes behind an object that somebody hid', async () => {
    const { store } = sampleLog([2, 2]);
    store.hide(objectKey(3));
    await writerOf(store).append([finding(50)]);
    expect(store.objects.has(objectKey(5))).toBe(true);
    const report = await verify(store);
    expect(report.problems.map(({ code }) => code)).toEqual(['ObjectHidden']);
    expect(report.records).toBe(5);
  });

  describe('one object of a wrong form does not stop the log', () => {
    const { store: sample } = sampleLog([2, 1]);
    const [, last] = [...sample.objects.values()];
    const intact = Buffer.from(last?.[0]?.body ?? []).toString();
    const oddRecord = (detail: unknown) => {
      const { store } = sampleLog([2]);
      const event = { ...finding(7), detail } as never;
      const lines = [...store.objects.values()].at(-1)?.[0]?.body ?? new Uint8Array();
      const hash =
        /"hash":"([0-9a-f]{64})/.exec(Buffer.from(lines).toString().split('\n').at(-2) ?? '')?.[1] ?? '';
      return Buffer.from(encodeObject({ sequence: 2, hash }, [event], clock.now()).body).toString();
    };
    test.each([
      ['empty', ''],
      ['one line of garbage', 'x\n'],
      ['garbage without an end', 'x'],
      ['several lines of garbage', 'x\n\ny\n'],
      ['bytes that are no text', '\xff\xfe\x00\n'],
      ['a record with another hash', intact.replace('"sequence":3', '"sequence":3 ')],
      ['a record and garbage', `${intact}x\n`],
      ['a record of no form, with the right hash', oddRecord({ data: null })],
      ['a record nested deeply, with the right hash', oddRecord({ metadata: { id: [[[[1]]]] } })],
    ])('%s', async (_name, content) => {
      const { store } = sampleLog([2]);
      store.overwrite(objectKey(3), Buffer.from(content, 'latin1'));
      const writer = writerOf(store);
      const first = await writer.append([finding(50), finding(51)]);
      expect((await writer.append([finding(52)])).written).toBe(1);
      expect((await writerOf(store).append([finding(50), finding(52), finding(53)])).written).toBe(1);
      const report = await verify(store);
      expect(new Set(report.problems.map(({ key }) => key))).toEqual(new Set([objectKey(3)]));
      expect(report.problems.length).toBeGreaterThan(0);
      const texts = [...store.objects.values()].map((versions) =>
        Buffer.from(versions[0]?.body ?? []).toString(),
      );
      for (const id of [50, 51, 52, 53]) {
        expect(texts.filter((text) => text.includes(finding(id).id))).toHaveLength(1);
      }
      const isBroken = !content.startsWith('{"hash"') || content.includes('x\n') || content.includes('3 ,');
      expect(first.passed).toEqual(isBroken ? [objectKey(3)] : []);
    });

    test('nor does one far ahead of all others', async () => {
      for (const far of [5_000_000, 999_999_999_999]) {
        const { store } = sampleLog([2, 2]);
        store.overwrite(objectKey(far), Buffer.from('x\n'));
        await writerOf(store).append([finding(50)]);
        await writerOf(store).append([finding(51)]);
        expect([...store.objects.keys()].toSorted()).toEqual([1, 3, 5, 6, far].map(objectKey));
      }
    });
  });

  test('gives up, and says so, when others are always faster', async () => {
    const store = new MemoryAuditStore();
    store.put = async () => 'taken';
    await expect(writerOf(store).append([finding(1)])).rejects.toMatchObject({
      code: 'AuditContended',
      retryable: true,
    });
  });

  test('writers that run at once never fork the log and never lose or repeat a record', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 10 }), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.scheduler(),
        async (batches, scheduler) => {
          const store = new MemoryAuditStore();
          const put = store.put.bind(store);
          store.put = scheduler.scheduleFunction(put);
          const writers = [writerOf(store), writerOf(store), writerOf(store)];
          const pending = batches.map(async (batch, index) => {
            const writer = writers[index % 3] as AuditWriter;
            const events = batch.map(finding);
            // The queue delivers what failed again.
            for (let tries = 0; tries < 20; tries += 1) {
              try {
                return await writer.append(events);
              } catch (error) {
                expect(error).toMatchObject({ code: 'AuditContended' });
              }
            }
            throw new Error('never recorded');
          });
          await scheduler.waitFor(Promise.all(pending));
          const report = await verify(store);
          expect(report.problems).toEqual([]);
          expect(report.records).toBe(new Set(batches.flat()).size);
          expect(report.repeated).toBe(0);
        },
      ),
      { numRuns: propertyRuns(60) },
    );
  });
});
