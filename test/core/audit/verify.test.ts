import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { emptyHead, encodeObject, objectKey, sequenceOfKey } from '../../../core/audit/format.ts';
import { problemCodes } from '../../../core/audit/problems.ts';
import { type VerificationReport, verifyLog } from '../../../core/audit/verify.ts';
import { MemoryAuditStore } from '../../lambdas/audit/memory-audit-store.ts';
import { propertyRuns } from '../../property-runs.ts';
import { finding, sampleLog, start } from './sample.ts';

const sizes = [3, 1, 4, 2];
const now = new Date(start + 60_000);

const verifySample = async (change: (store: MemoryAuditStore) => void, expectHead = false) => {
  const { store, head } = sampleLog(sizes);
  change(store);
  return verifyLog(store, { now, ...(expectHead && { expectHead: head }) });
};

/** Replaces an object's first version, as one could in a copy. */
const rewrite = (store: MemoryAuditStore, key: string, change: (text: string) => string) => {
  const body = Buffer.from(store.objects.get(key)?.[0]?.body ?? []);
  store.objects.set(key, [{ versionId: 'copy', body: Buffer.from(change(body.toString('utf8'))) }]);
};

const lines = (store: MemoryAuditStore): string[] =>
  [...store.objects.keys()].sort().flatMap((key) =>
    Buffer.from(store.objects.get(key)?.[0]?.body ?? [])
      .toString('utf8')
      .split('\n')
      .filter(Boolean),
  );

/** Lays lines out over the sample's objects again, so that only their order differs. */
const layOut = (store: MemoryAuditStore, all: readonly string[]) => {
  let next = 0;
  for (const key of [...store.objects.keys()].sort()) {
    const count =
      Buffer.from(store.objects.get(key)?.[0]?.body ?? [])
        .toString()
        .split('\n').length - 1;
    const isLast = key === objectKey(9);
    const part = all.slice(next, isLast ? undefined : next + count);
    next += count;
    rewrite(store, key, () => part.map((line) => `${line}\n`).join(''));
  }
};

/** Gives a line another content with a right hash, as somebody does who knows the format. */
const forge = (line: string, change: Record<string, unknown>): string => {
  const { hash: _, ...record } = JSON.parse(line);
  const text = JSON.stringify({ ...record, ...change });
  return `{"hash":"${createHash('sha256').update(text).digest('hex')}",${text.slice(1)}`;
};

const codes = ({ problems }: VerificationReport) => problems.map(({ code }) => code);
const covers = ({ problems }: VerificationReport, sequence: number) =>
  problems.some(
    (problem) =>
      problem.sequence !== undefined &&
      problem.sequence <= sequence &&
      sequence <= (problem.lastSequence ?? problem.sequence),
  );

describe('verification of a log', () => {
  test('an intact log', async () => {
    const { store, head } = sampleLog(sizes);
    expect(await verifyLog(store, { now, expectHead: head })).toEqual({
      intact: true,
      head,
      objects: 4,
      records: 10,
      bytes: expect.any(Number),
      from: '2026-03-01T12:00:00.000Z',
      until: '2026-03-01T12:00:08.000Z',
      unrecognised: 0,
      repeated: 0,
      rotations: { succeeded: 0, failed: 0, open: 0 },
      revocations: { succeeded: 0, unproven: 0, failed: 0, rejected: 0, open: 0 },
      problems: [],
      problemsOmitted: 0,
    });
  });

  test('an empty log', async () => {
    const report = await verifyLog(sampleLog([]).store, { now });
    expect(report).toMatchObject({ intact: true, records: 0, head: { sequence: 0 } });
  });

  test('any byte changed, inserted or removed is found, and its record named', async () => {
    const bodies = [...sampleLog(sizes).store.objects].map(([key, versions]) => ({
      key,
      body: Buffer.from(versions[0]?.body ?? []),
    }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...bodies),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.constantFrom('change' as const, 'insert' as const, 'remove' as const),
        async ({ key, body }, position, difference, kind) => {
          const at = position % body.length;
          const other = ((body[at] ?? 0) + difference) % 256;
          const changed = Buffer.concat([
            body.subarray(0, at),
            kind === 'remove' ? Buffer.alloc(0) : Buffer.from([other]),
            body.subarray(kind === 'insert' ? at : at + 1),
          ]);
          const report = await verifySample((store) =>
            store.objects.set(key, [{ versionId: 'copy', body: changed }]),
          );
          const first = sequenceOfKey(key) ?? 0;
          const before = body.subarray(0, at).filter((byte) => byte === 0x0a).length;
          expect(covers(report, first + before)).toBe(true);
          expect(report.intact).toBe(false);
        },
      ),
      { numRuns: propertyRuns(1000) },
    );
  });

  test('a changed record is one problem, wherever it stands', async () => {
    for (let sequence = 1; sequence <= 10; sequence += 1) {
      const report = await verifySample((store) => {
        const all = lines(store);
        layOut(
          store,
          all.map((line, index) => (index === sequence - 1 ? line.replace('"low"', '"mid"') : line)),
        );
      });
      expect(report.problems).toEqual([expect.objectContaining({ code: 'RecordAltered', sequence })]);
    }
  });

  test('any record removed is found, and named as missing or as the lost end', async () => {
    for (let sequence = 1; sequence <= 10; sequence += 1) {
      const remove = (store: MemoryAuditStore) =>
        layOut(
          store,
          lines(store).filter((_, index) => index !== sequence - 1),
        );
      const report = await verifySample(remove, true);
      expect(covers(report, sequence)).toBe(true);
      expect(codes(report)).toContain(sequence === 10 ? 'HeadMissing' : 'RecordsMissing');
    }
  });

  test('any object removed is found, and its records named', async () => {
    const report = await verifySample((store) => store.objects.delete(objectKey(5)));
    expect(report.problems).toEqual([
      { code: 'RecordsMissing', message: 'records 5 to 8 are missing', sequence: 5, lastSequence: 8 },
    ]);
    const last = await verifySample((store) => store.objects.delete(objectKey(9)), true);
    expect(last.problems).toEqual([
      expect.objectContaining({ code: 'HeadMissing', sequence: 9, lastSequence: 10 }),
    ]);
  });

  test('any two records swapped are found, and one of them named', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 9 }), fc.nat({ max: 9 }), async (one, other) => {
        fc.pre(one !== other);
        const report = await verifySample((store) => {
          const all = lines(store);
          const swapped = all.map((line, index) =>
            index === one ? (all[other] ?? '') : index === other ? (all[one] ?? '') : line,
          );
          layOut(store, swapped);
        });
        expect(codes(report)).toContain('RecordsReordered');
        expect(covers(report, one + 1) || covers(report, other + 1)).toBe(true);
        expect(codes(report)).not.toContain('RecordsMissing');
      }),
      { numRuns: propertyRuns(200) },
    );
  });

  test('neighbours swapped are one problem', async () => {
    const report = await verifySample((store) =>
      rewrite(store, objectKey(5), (text) => {
        const [a, b, c, d] = text.split('\n');
        return `${[a, c, b, d].join('\n')}\n`;
      }),
    );
    expect(report.problems).toEqual([
      {
        code: 'RecordsReordered',
        message: 'record 7 stands before record 6',
        sequence: 7,
        key: objectKey(5),
      },
    ]);
  });

  test('any two objects swapped are found', async () => {
    const report = await verifySample((store) => {
      const five = store.objects.get(objectKey(5)) ?? [];
      store.objects.set(objectKey(5), store.objects.get(objectKey(9)) ?? []);
      store.objects.set(objectKey(9), five);
    });
    expect(codes(report)).toEqual(['ObjectMisplaced', 'ObjectMisplaced', 'RecordsReordered']);
    expect(report.problems[2]).toMatchObject({ sequence: 5, lastSequence: 8 });
  });

  test('a copy of any record, or a forged one, inserted anywhere is found', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 9 }), fc.nat({ max: 9 }), fc.boolean(), async (which, where, forged) => {
        const report = await verifySample((store) => {
          const all = lines(store);
          const line = all[which] ?? '';
          const inserted = forged ? forge(line, { recordedAt: '2026-03-01T12:00:59.000Z' }) : line;
          layOut(store, [...all.slice(0, where), inserted, ...all.slice(where)]);
        });
        const found = codes(report);
        expect(found.includes('RecordInserted') || found.includes('RecordsReordered')).toBe(true);
        expect(covers(report, which + 1)).toBe(true);
      }),
      { numRuns: propertyRuns(200) },
    );
  });

  test('a forged record with a right hash is named, unless it is the last one and no head was noted', async () => {
    for (let sequence = 1; sequence <= 10; sequence += 1) {
      const replace = (store: MemoryAuditStore) =>
        layOut(
          store,
          lines(store).map((line, index) =>
            index === sequence - 1 ? forge(line, { recordedAt: '2026-03-01T12:00:59.000Z' }) : line,
          ),
        );
      const report = await verifySample(replace, true);
      expect(codes(report)).toEqual([sequence === 10 ? 'HeadMismatch' : 'RecordReplaced']);
      expect(covers(report, sequence)).toBe(true);
    }
  });

  test('a record far ahead is named without doubting the rest', async () => {
    const report = await verifySample((store) => {
      const all = lines(store);
      const far = forge(all[4] ?? '', { sequence: 999_999 });
      layOut(store, [...all.slice(0, 4), far, ...all.slice(4)]);
    });
    expect(report.problems).toContainEqual(
      expect.objectContaining({ code: 'RecordsReordered', sequence: 999_999 }),
    );
    expect(codes(report)).not.toContain('RecordsMissing');
    expect(report.head.sequence).toBe(10);
  });

  test('what lies on top of a locked object is named, and the first version is what counts', async () => {
    const report = await verifySample((store) => {
      store.overwrite(objectKey(4), Buffer.from('nothing to see\n'));
      store.hide(objectKey(5));
      store.hide(objectKey(9));
    });
    expect(codes(report)).toEqual(['ObjectOverwritten', 'ObjectHidden', 'ObjectHidden']);
    expect(report).toMatchObject({ records: 10, head: { sequence: 10 } });
    expect(report.problems[0]).toMatchObject({ sequence: 4, key: objectKey(4), versionId: 'v5' });
  });

  test('foreign, empty, misnamed and unreadable objects are named', async () => {
    const report = await verifySample((store) => {
      store.overwrite('entries/note.txt', Buffer.from('hello'));
      store.overwrite(objectKey(11), Buffer.alloc(0));
      const four = store.objects.get(objectKey(4)) ?? [];
      store.objects.delete(objectKey(4));
      store.objects.set('entries/000000000003.ndjson', four);
      const read = store.read.bind(store);
      store.read = async (version) => {
        if (version.key === objectKey(9)) {
          throw new Error('no connection');
        }
        return read(version);
      };
    });
    expect(codes(report).sort()).toEqual([
      'ObjectForeign',
      'ObjectMisplaced',
      'ObjectUnreadable',
      'RecordMalformed',
      'RecordsMissing',
    ]);
  });

  test('the report keeps a bounded number of problems and counts the rest', async () => {
    const { store } = sampleLog([1, 1, 1, 1, 1]);
    for (const key of [...store.objects.keys()]) {
      store.hide(key);
    }
    const report = await verifyLog(store, { now, problemLimit: 2 });
    expect(report.problems).toHaveLength(2);
    expect(report.problemsOmitted).toBe(3);
  });

  test('a source that lists keys out of order is refused', async () => {
    const { store } = sampleLog([1, 1]);
    const source = {
      read: store.read.bind(store),
      async *versions() {
        yield { key: objectKey(2), deleteMarker: false, latest: true };
        yield { key: objectKey(1), deleteMarker: false, latest: true };
      },
    };
    await expect(verifyLog(source)).rejects.toThrow('ascending order');
  });

  test('the documentation explains every problem', () => {
    const page = readFileSync(new URL('../../../docs/audit-log.md', import.meta.url), 'utf8');
    expect(problemCodes.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
  });
});

describe('a record with a right hash and a form of its own is named, and the rest is verified', () => {
  const good = finding(1).detail as { metadata: Record<string, unknown>; data: Record<string, unknown> };
  test.each([
    ['a request without metadata', 'Secret Revocation Requested', { data: {} }],
    ['a request without data', 'Secret Revocation Requested', { metadata: good.metadata }],
    ['a rejection without its request', 'Secret Revocation Rejected', good],
    ['an outcome whose request is a number', 'Secret Revocation Failed', { ...good, data: { requestId: 7 } }],
    ['a rotation of no secret', 'Secret Rotation Started', { ...good, data: { versionId: 'v1' } }],
    [
      'a rotation to a list',
      'Secret Rotation Succeeded',
      { ...good, data: { secretArn: 'a', versionId: [] } },
    ],
    ['metadata that is a text', 'Finding Raised', { ...good, metadata: 'text' }],
    ['metadata that is null', 'Finding Raised', { ...good, metadata: null }],
    ['data that is a list', 'Finding Raised', { ...good, data: [] }],
    ['nothing', 'Credential Contained', {}],
    ['a type that there is not', 'Secret Forgotten', good],
    ['a type that every object has', 'constructor', good],
    ['no type', '', good],
  ])('%s', async (_name, detailType, detail) => {
    const store = new MemoryAuditStore();
    const odd = { ...finding(2), detailType, detail };
    const { key, body } = encodeObject(emptyHead, [finding(1), odd, finding(3)], new Date(start));
    store.overwrite(key, body);
    const report = await verifyLog(store, { now: new Date(start) });
    expect(report.problems.map(({ code, sequence }) => [code, sequence])).toEqual([['RecordMalformed', 2]]);
    expect(report).toMatchObject({ records: 3, head: { sequence: 3 } });
  });

  test.each([
    ['data', { ...good, data: 'DEEP' }],
    ['a key of data', { ...good, data: { select: 'DEEP' } }],
    ['an id', { ...good, metadata: { id: 'DEEP' } }],
  ])('%s that is nested so deeply that nobody could write it anew', async (_name, detail) => {
    const odd = { ...finding(2), detailType: 'Secret Revocation Requested', detail };
    const { key, body } = encodeObject(emptyHead, [finding(1), odd], new Date(start));
    const [first = '', second = ''] = Buffer.from(body).toString().split('\n');
    const nested = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const text = `{${second.slice(`{"hash":"${'0'.repeat(64)}",`.length)}`.replace('"DEEP"', nested);
    const hash = createHash('sha256').update(text).digest('hex');
    const store = new MemoryAuditStore();
    store.overwrite(key, Buffer.from(`${first}\n{"hash":"${hash}",${text.slice(1)}\n`));
    const report = await verifyLog(store, { now: new Date(start) });
    expect(report.problems.map(({ code, sequence }) => [code, sequence])).toEqual([['RecordMalformed', 2]]);
    expect(report).toMatchObject({ records: 2, head: { sequence: 2, hash } });
  });
});
