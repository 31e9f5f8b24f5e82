import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { objectLines, parseLine } from '../../core/audit/format.ts';
import { incidentIdOf, revocationKey } from '../../core/notification/incident-id.ts';
import { begun, ended, planned, requested, revocation, start, taskDone } from '../core/incident/sample.ts';
import { errorOf, FakeCloud, rekey } from './fixture.ts';

const at = (ms: number) => new Date(start + ms);
const orders = { requestId: 'r1', secretName: '/prod/orders/db', incident: 'INC-1' };

/** A log with one closed incident, and something that belongs to none. */
function shortLog(): FakeCloud {
  const cloud = new FakeCloud();
  cloud.record(at(0), { detailType: 'Finding Raised', detail: { metadata: { id: 'f' }, data: {} } });
  for (const event of revocation(orders)) cloud.record(at(6_000), event);
  return cloud;
}

/** The same, with an open incident of two secrets behind it. */
function log(): FakeCloud {
  const cloud = shortLog();
  cloud.record(at(20_000), ...planned(['Succeeded', 'Unproven']));
  return cloud;
}

const json = async (cloud: FakeCloud, argv: readonly string[]) =>
  JSON.parse((await rekey(cloud, ['incident', ...argv, '--json'])).stdout);

describe('incident list', () => {
  test('shows incidents, newest first, and whether anything is open', async () => {
    const { exitCode, stdout } = await rekey(log(), ['incident', 'list']);
    expect(exitCode).toBe(0);
    const [head, first, second] = stdout.split('\n');
    expect(head).toMatch(/^BEGAN +INCIDENT +STATE +SECRETS +PROVEN +CONTAINED IN +REASON$/);
    expect(first).toMatch(/^9 d ago +INC-1 +closed +1 +1 +1\.4 s +found in a public repository$/);
    expect(second).toMatch(/^9 d ago +INC-4711 +open +2 +1 +2\.6 s +laptop lost/);
  });

  test('--open and --since leave others out', async () => {
    expect((await json(log(), ['list', '--open'])).incidents.map(({ id }: { id: string }) => id)).toEqual([
      'INC-4711',
    ]);
    expect(await json(log(), ['list', '--since', '1d'])).toMatchObject({ environment: 'dev', incidents: [] });
    const { stdout, stderr } = await rekey(log(), ['incident', 'list', '--since', '1d']);
    expect(stdout).toBe('');
    expect(stderr).toContain('No incident since 2026-03-09T12:00:00.000Z');
  });

  test('a line that was altered is left out and told of', async () => {
    const cloud = log();
    const object = cloud.auditWrites[2];
    if (object) object.body = Buffer.from(Buffer.from(object.body).toString().replace('orders', 'others'));
    const { stderr } = await rekey(cloud, ['incident', 'list']);
    expect(stderr).toContain('1 lines of the log are not as they were written');
  });

  test('--from reads a copy without any call to AWS', async () => {
    const cloud = log();
    const copy = await cloud.ports.auditSource('bucket');
    for (const port of Object.keys(cloud.ports) as (keyof typeof cloud.ports)[]) {
      cloud.failures[port] = new Error('no AWS');
    }
    const { stdout } = await rekey(cloud, ['incident', 'list', '--from', './copy', '--json'], { copy });
    expect(JSON.parse(stdout)).toMatchObject({
      environment: null,
      source: './copy',
      incidents: [{ id: 'INC-1' }, { id: 'INC-4711' }],
    });
    const late = ['incident', 'list', '--from', './copy', '--since', '1d', '--json'];
    expect(JSON.parse((await rekey(cloud, late, { copy })).stdout).incidents).toEqual([]);
  });
});

describe('incident show', () => {
  test('tells of each secret, tasks, people, and what is open', async () => {
    const { exitCode, stdout } = await rekey(log(), ['incident', 'show', 'INC-4711']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^state +open$/m);
    expect(stdout).toMatch(/^\/prod\/part-1 +unproven +1\.5 s +3\.2 s +- +part-1$/m);
    expect(stdout).toMatch(/^Ask the partner to refuse the old key +open +\/prod\/partner/m);
    expect(stdout).toMatch(
      /^arn:aws:sts::111122223333:assumed-role\/responder\/alice +their own word +Revocation/m,
    );
    expect(stdout).toContain('  To do: Ask the partner to refuse the old key (/prod/partner)');
  });

  test.each([['INC-1'], ['r1'], [incidentIdOf(revocationKey('r1'))]])('finds it by %s', async (id) => {
    expect(await json(log(), ['show', id])).toMatchObject({
      environment: 'dev',
      id: 'INC-1',
      state: 'closed',
      containMs: 1_400,
      rotateMs: 3_200,
      proveMs: 5_000,
      secrets: [{ secretName: '/prod/orders/db', state: 'revoked', containedAt: '2026-03-01T12:00:01.400Z' }],
      people: [{ attested: 'claimed' }],
      open: [],
    });
  });

  test('an id that no incident has is wrong usage', async () => {
    expect(errorOf(await rekey(log(), ['incident', 'show', 'INC-9', '--json']))).toMatchObject({
      code: 'IncidentUnknown',
      exitCode: 2,
    });
  });

  test('the id of a request says itself how far back to look', async () => {
    const cloud = new FakeCloud();
    const longAgo = Date.parse('2025-11-01T12:00:00Z');
    const id = `${longAgo
      .toString(16)
      .padStart(12, '0')
      .replace(/^(.{8})/, '$1-')}-7000-8000-000000000001`;
    cloud.record(new Date(longAgo + 6_000), ...revocation({ ...orders, requestId: id }));
    expect(await json(cloud, ['show', id])).toMatchObject({ id: 'INC-1', requests: [id] });
    expect(errorOf(await rekey(cloud, ['incident', 'show', 'INC-1', '--json']))).toMatchObject({
      code: 'IncidentUnknown',
    });
  });
});

describe('incident show --follow', () => {
  /** A revocation that goes on while somebody looks. */
  function running(end?: 'Succeeded' | 'Unproven'): FakeCloud {
    const cloud = new FakeCloud();
    const [started, ...others] = begun(orders);
    cloud.record(at(0), requested(orders), ...(started === undefined ? [] : [started]));
    cloud.onSleep = (count) => {
      const event = [...others, ...(end === undefined ? [] : [ended(orders, end)])][count - 1];
      if (event !== undefined) cloud.record(at(10_000 + count), event);
    };
    return cloud;
  }
  const follow = (cloud: FakeCloud, more: readonly string[] = [], options = {}) =>
    rekey(cloud, ['incident', 'show', 'INC-1', '--follow', ...more], options);

  test('in a pipe writes a line for each record, until nothing is under way', async () => {
    const { exitCode, stdout } = await follow(running('Succeeded'));
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain('\u001b');
    expect(stdout.split('\n').filter((line) => line.startsWith('2026-'))).toHaveLength(6);
    expect(stdout).toContain('Proven: the target refuses the leaked credential of /prod/orders/db');
    expect(stdout.trimEnd()).toMatch(/Closed 5\.0 s after the first request; nothing is open\.$/);
  });

  test('ends with 1 when something is open then', async () => {
    const { exitCode, stdout } = await follow(running('Unproven'));
    expect(exitCode).toBe(1);
    expect(stdout).toContain('nobody has seen the leaked credential refused');
  });

  test('ends with 1 when it is ended before', async () => {
    expect((await follow(running(), [], { abortAfter: 7 })).exitCode).toBe(1);
  });

  test('on a terminal draws over what it drew before', async () => {
    const { stdout } = await follow(running('Succeeded'), [], {
      terminal: true,
      variables: { NO_COLOR: '1' },
    });
    // Title, headings and one secret; the cursor goes up as many lines as were drawn.
    expect(stdout.split('\u001b[3A\r\u001b[J')).toHaveLength(5);
    expect(stdout).toContain('INC-1  open, under way  0 of 1 done');
    expect(stdout).toContain('INC-1  closed  1 of 1 done  5.1 s');
    const drawn = stdout.split('\u001b[3A\r\u001b[J').flatMap((one) => one.split('\n').slice(0, 3));
    expect(Math.max(...drawn.map(({ length }) => length))).toBeLessThan(80);
  });

  test('with --json writes a document a line, for each change', async () => {
    const { stdout } = await follow(running('Succeeded'), ['--json']);
    const states = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).state);
    expect(states).toEqual(['open', 'open', 'open', 'open', 'closed']);
    // Looks that find nothing new say nothing.
    const idle = await follow(running(), ['--json'], { abortAfter: 9 });
    expect(idle.stdout.trimEnd().split('\n')).toHaveLength(4);
  });
});

test('incident timeline tells what happened, and who says so', async () => {
  const { stdout } = await rekey(log(), ['incident', 'timeline', 'INC-1']);
  expect(stdout.trimEnd().split('\n')).toHaveLength(7);
  expect(stdout).toMatch(
    /^2026-03-01 12:00:00Z +\+0 ms +Revocation asked for \(kill\) of \/prod\/orders\/db, because: .*alice \(their own word\)$/m,
  );
  const { entries } = await json(log(), ['timeline', 'INC-1']);
  expect(entries).toHaveLength(6);
  expect(entries[5]).toMatchObject({
    at: '2026-03-01T12:00:05.100Z',
    kind: 'proof',
    tone: 'good',
    sequence: 7,
  });
});

describe('incident report', () => {
  let folder: string;
  let out: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rekey-report-'));
    out = join(folder, 'INC-1');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const report = (cloud: FakeCloud, more: readonly string[] = [], options = {}, id = 'INC-1') =>
    rekey(cloud, ['incident', 'report', id, '--out', out, ...more], options);

  test('writes a page, a draft and evidence that others can check', async () => {
    const cloud = shortLog();
    const { exitCode, stdout } = await report(cloud, ['--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ id: 'INC-1', records: 6, intact: true, heldObjects: 0 });
    expect(readdirSync(out, { recursive: true }).sort()).toEqual([
      'SHA256SUMS',
      'evidence',
      'evidence/README.md',
      'evidence/objects.json',
      'evidence/records.ndjson',
      'evidence/verification.json',
      'postmortem.md',
      'report.html',
    ]);
    expect(execFileSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: out }).toString()).toContain(
      'report.html: OK',
    );
    const lines = [...objectLines(readFileSync(join(out, 'evidence', 'records.ndjson')))];
    const parsed = lines.map(({ bytes }) => parseLine(bytes));
    expect(parsed.map((line) => line.kind === 'intact' && line.record.sequence)).toEqual([2, 3, 4, 5, 6, 7]);
    // Each line stands in the log, byte for byte.
    const whole = Buffer.concat(cloud.auditWrites.map(({ body }) => body)).toString();
    for (const { bytes } of lines) expect(whole).toContain(Buffer.from(bytes).toString());
    const { objects } = JSON.parse(readFileSync(join(out, 'evidence', 'objects.json'), 'utf8'));
    expect(objects[0]).toMatchObject({ key: 'entries/000000000002.ndjson', sequences: [2] });
    expect(objects).toHaveLength(6);
    expect(readFileSync(join(out, 'evidence', 'verification.json'), 'utf8')).toContain(
      `"head": "${cloud.head.sequence}:${cloud.head.hash}"`,
    );
  });

  test('the draft has the facts, and asks for the rest', async () => {
    await report(log(), [], {}, 'INC-4711');
    const draft = readFileSync(join(out, 'postmortem.md'), 'utf8');
    expect(draft).toContain('# Postmortem: INC\\-4711');
    expect(draft).toContain('| /prod/part\\-1 | unproven | kill | 1.5 s | 3.2 s | - | part\\-1 |');
    expect(draft).toContain('- OPEN: Ask the partner to refuse the old key');
    expect(draft).toContain('> When did the credential leak');
  });

  test('a copy needs no AWS, and says of which environment it is', async () => {
    const cloud = shortLog();
    const copy = await cloud.ports.auditSource('bucket');
    for (const port of Object.keys(cloud.ports) as (keyof typeof cloud.ports)[]) {
      cloud.failures[port] = new Error('no AWS');
    }
    const { exitCode } = await report(cloud, ['--from', './copy'], { copy });
    expect(exitCode).toBe(0);
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('Incident · prod');
  });

  test('a log that is not intact gives a report that says so, and exit code 1', async () => {
    const cloud = shortLog();
    cloud.auditWrites.splice(0, 1);
    const { exitCode, stderr } = await report(cloud);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('NOT intact');
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('not intact');
  });

  test('nothing that is there is written over', async () => {
    writeFileSync(join(folder, 'mine'), 'x');
    const ran = await rekey(shortLog(), ['incident', 'report', 'INC-1', '--out', folder, '--json']);
    expect(errorOf(ran)).toMatchObject({ code: 'UsageInvalid', exitCode: 2 });
    expect(readdirSync(folder)).toEqual(['mine']);
    const file = await rekey(shortLog(), [
      'incident',
      'report',
      'INC-1',
      '--out',
      join(folder, 'mine', 'x'),
      '--json',
    ]);
    expect(errorOf(file)).toMatchObject({ code: 'ReportNotWritten', exitCode: 3 });
  });

  test('--legal-hold asks, holds the objects and records it', async () => {
    const refused = shortLog();
    expect((await report(refused, ['--legal-hold'], { answer: 'n' })).exitCode).toBe(1);
    expect([refused.held, refused.published]).toEqual([[], []]);
    rmSync(out, { recursive: true });
    const cloud = shortLog();
    const { exitCode, stdout } = await report(cloud, [
      '--legal-hold',
      '--reason',
      'a claim',
      '--yes',
      '--json',
    ]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ heldObjects: 6 });
    expect(cloud.held.map(([key]) => key)).toEqual(
      [2, 3, 4, 5, 6, 7].map((one) => `entries/00000000000${one}.ndjson`),
    );
    expect(cloud.published).toMatchObject([
      {
        source: 'rekey.cli',
        detailType: 'Legal Hold Placed',
        detail: { data: { incident: 'INC-1', objects: 6, reason: 'a claim' } },
      },
    ]);
  });

  test('a hold that is denied is not recorded, and the action is named', async () => {
    const cloud = shortLog();
    cloud.holdsDenied = true;
    expect(errorOf(await report(cloud, ['--legal-hold', '--yes', '--json']))).toMatchObject({
      code: 'AccessDenied',
      exitCode: 3,
    });
    expect(cloud.published).toEqual([]);
  });

  test('a copy cannot be held', async () => {
    expect(errorOf(await report(shortLog(), ['--legal-hold', '--from', './copy', '--json']))).toMatchObject({
      code: 'UsageInvalid',
    });
  });
});

test('a task that is done closes the incident', async () => {
  const cloud = new FakeCloud();
  cloud.record(at(20_000), ...planned(['Succeeded', 'Succeeded']));
  expect(await json(cloud, ['show', 'INC-4711'])).toMatchObject({ state: 'open' });
  cloud.record(at(90_000), taskDone);
  expect(await json(cloud, ['show', 'INC-4711'])).toMatchObject({
    state: 'closed',
    closedAt: '2026-03-01T12:01:26.400Z',
  });
});
