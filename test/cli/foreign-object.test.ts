import { expect, test } from '@jest/globals';
import { recordsAfter } from '../../cli/audit-tail-reader.ts';
import { ago, day, FakeCloud, healthy, hour, minute, rekey } from './fixture.ts';

/** A log of some days with one object that is none of its own. */
function logWith(key: string): FakeCloud {
  const cloud = new FakeCloud();
  cloud.add('orders', { ...healthy, lastRotated: ago(2 * hour) });
  for (let age = 40; age > 0; age -= 1) {
    cloud.record(ago(age * 10 * minute + 2 * hour), {
      detailType: 'Secret Rotation Succeeded',
      detail: { data: { secretName: 'orders', versionId: `v${age}` } },
    });
  }
  cloud.record(ago(minute), {
    detailType: 'Secret Revocation Failed',
    detail: { data: { secretName: 'orders', versionId: 'the-last', error: { code: 'X', message: 'y' } } },
  });
  cloud.auditWrites.push({ key, body: Buffer.from('x\n'), written: ago(2 * day) });
  cloud.auditWrites.sort((a, b) => (a.key < b.key ? -1 : 1));
  return cloud;
}

const keys = ['entries/999999999999.ndjson', 'entries/notes.txt'];

test.each(keys)('audit tail shows the records beside %s', async (key) => {
  const { exitCode, stdout } = await rekey(logWith(key), ['audit', 'tail', '--since', '1h']);
  expect({ exitCode, last: stdout.includes('the-last') }).toEqual({ exitCode: 0, last: true });
});

test.each(keys)('audit tail --follow shows what comes after it was begun, beside %s', async (key) => {
  const cloud = logWith(key);
  cloud.onSleep = (count) => {
    if (count !== 1) return;
    cloud.record(new Date(cloud.clock), {
      detailType: 'Secret Rotation Succeeded',
      detail: { data: { secretName: 'orders', versionId: 'while-following' } },
    });
    cloud.auditWrites.sort((a, b) => (a.key < b.key ? -1 : 1));
  };
  const { stdout } = await rekey(cloud, ['audit', 'tail', '--follow'], { abortAfter: 4 });
  expect(stdout).toContain('while-following');
});

test.each(keys)('a young %s does not make the writer look alive', async (key) => {
  const cloud = new FakeCloud();
  cloud.add('orders', { ...healthy, lastRotated: ago(hour) });
  cloud.record(ago(20 * day), { detailType: 'Secret Rotation Succeeded', detail: { data: {} } });
  cloud.auditWrites.push({ key, body: Buffer.from('x\n'), written: ago(minute) });
  const { stdout } = await rekey(cloud, ['doctor', '--json']);
  const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string }[] };
  expect(checks.find(({ name }) => name === 'audit writer')?.status).toBe('fail');
});

test('the end of what was read of a long log is its last record, beside an object that somebody else put between', async () => {
  const cloud = new FakeCloud();
  cloud.head = { sequence: 2_000_000, hash: '0'.repeat(64) };
  cloud.add('orders', { ...healthy, lastRotated: ago(2 * hour) });
  for (const versionId of ['one', 'two']) {
    cloud.record(ago(minute), { detailType: 'Secret Rotation Succeeded', detail: { data: { versionId } } });
  }
  cloud.auditWrites.splice(1, 0, {
    key: 'entries/000002000001x',
    body: Buffer.from('x\n'),
    written: ago(minute),
  });
  const objects = await cloud.ports.auditObjects('bucket');
  const reading = recordsAfter(objects, 'entries/000001999999.ndjson');
  let step = await reading.next();
  const seen: string[] = [];
  for (; !step.done; step = await reading.next()) seen.push(step.value.kind);
  expect({ seen, reached: step.value }).toEqual({
    seen: ['record', 'unreadable', 'record'],
    reached: 'entries/000002000002.ndjson',
  });
});
