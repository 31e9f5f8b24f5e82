import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Budget } from '../../../cli/scan/bounded.ts';
import { lookIntoPath } from '../../../cli/scan/folder.ts';
import { Scan } from '../../../cli/scan/look.ts';
import { usualBounds } from '../../../core/scan/bounds.ts';
import { pathText } from '../../../core/scan/finding.ts';
import { tarOf, zipOf } from './pack.ts';
import { planted } from './planted.ts';
import { scanned } from './world.ts';

const { value: secret } = planted.find(({ name }) => name === 'GitHub') ?? { value: '' };
const folder = mkdtempSync(join(tmpdir(), 'rekey-scan-archives-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const places = ({ found }: Awaited<ReturnType<typeof scanned>>) =>
  found.map(({ place }) => pathText(place.path));

async function scannedPath(path: string, exclude: readonly string[] = []) {
  const scan = new Scan(new Budget(usualBounds));
  await lookIntoPath(scan, path, { exclude });
  return {
    places: scan.named().map(({ place }) => pathText(place.path)),
    reasons: scan.notLookedInto.map(({ path: of, reason }) => `${pathText(of)}: ${reason}`),
    counts: scan.counts,
  };
}

describe('what is packed is looked into', () => {
  const files = { 'app/config.js': `key = '${secret}'`, 'app/empty': '', 'read.me': 'nothing' };
  test.each([
    ['tar', tarOf(files)],
    ['tar.gz', gzipSync(tarOf(files))],
    ['tar.zst', zstdCompressSync(tarOf(files))],
    ['zip', zipOf(files)],
    ['zip, stored', zipOf(files, { method: 0 })],
  ])('%s', async (_, bytes) => {
    const result = await scanned(bytes);
    expect([places(result), result.reasons]).toEqual([['artifact → app/config.js'], []]);
    expect(result.counts.files).toBe(3);
  });

  test('by what is in it, whatever its name says, and archives within archives', async () => {
    const inner = zipOf({
      'lib.jar': zipOf({ 'a.properties': secret }),
      'b.tgz': gzipSync(tarOf({ 'c.env': secret })),
    });
    const result = await scanned(tarOf({ 'picture.png': inner, 'layer.gz': gzipSync(`x ${secret}`) }));
    expect(places(result)).toEqual([
      'artifact → picture.png → lib.jar → a.properties',
      'artifact → picture.png → b.tgz → c.env',
      'artifact → layer.gz',
    ]);
  });

  test('as the programs of the machine pack it', async () => {
    const source = join(folder, 'packed');
    mkdirSync(join(source, 'a'.repeat(120), 'b'.repeat(120)), { recursive: true });
    const long = `${'a'.repeat(120)}/${'b'.repeat(120)}/größe.txt`;
    writeFileSync(join(source, long), `${secret}\n`);
    for (const format of ['gnu', 'pax']) {
      const archive = join(folder, `${format}.tar.gz`);
      execFileSync('tar', ['czf', archive, `--format=${format}`, '-C', source, '.']);
      expect(await scannedPath(archive)).toMatchObject({
        places: [`${format}.tar.gz → ./${long}`.slice(0, 320)],
        reasons: [],
      });
    }
  });

  test('a sparse file, or another kind that is not read, is told', async () => {
    const { reasons } = await scanned(tarOf({ sparse: secret }, { type: 'S' }));
    expect(reasons).toEqual([expect.stringContaining('of a kind that is not read')]);
  });
});

describe('what cannot be looked into is a finding, and the rest is looked into', () => {
  const beside = { 'z.txt': secret };
  test.each<[string, Buffer, RegExp]>([
    ['an encrypted zip', zipOf({ 'a.txt': 'x' }, { flags: 1 }), /a\.txt: is encrypted/],
    ['a method of another program', zipOf({ 'a.txt': 'x' }, { method: 93 }), /packed by method 93/],
    ['a zip that is cut off', zipOf({ 'a.txt': 'x'.repeat(500) }).subarray(0, 80), /damaged/],
    [
      'a content that does not unpack',
      zipOf({ 'a.txt': 'x'.repeat(500) }, { garbage: true }),
      /a\.txt: is damaged/,
    ],
    [
      'a gzip that is cut off',
      gzipSync(Buffer.from('text '.repeat(9_999))).subarray(0, 60),
      /damaged, or cut off/,
    ],
    ['xz', Buffer.from('fd377a585a000004e6d6b446', 'hex'), /format xz/],
    ['bzip2', Buffer.from('425a68393141592653598fc3b0b3', 'hex'), /format bzip2/],
    ['7z', Buffer.from('377abcaf271c0004', 'hex'), /format 7z/],
  ])('%s', async (_, bytes, reason) => {
    const { found, notLookedInto } = await scanned(tarOf({ inner: bytes, ...beside }));
    const said = notLookedInto.map(({ path, reason: why }) => `${pathText(path)}: ${why}`);
    expect(said).toEqual([expect.stringMatching(reason)]);
    expect(found.map(({ place }) => pathText(place.path))).toEqual(['artifact → z.txt']);
  });

  test('a tar whose header is damaged, and one that is cut off', async () => {
    const whole = tarOf({ 'a.txt': secret, 'b.txt': 'x', 'c.txt': secret });
    const broken = Buffer.from(whole);
    broken.fill(0x41, 1_024, 1_100);
    expect(await scanned(broken)).toMatchObject({
      reasons: [expect.stringMatching(/header that is damaged/)],
    });
    expect(places(await scanned(broken))).toContain('artifact → a.txt');
    const cut = await scanned(whole.subarray(0, 3 * 512 + 100));
    expect([places(cut), cut.reasons.length]).toEqual([['artifact → a.txt'], 1]);
  });

  test('archives without end, and those that unpack without end', async () => {
    let nested: Buffer = Buffer.from(secret);
    for (let depth = 0; depth < 12; depth += 1) nested = gzipSync(nested);
    expect((await scanned(nested)).reasons).toEqual(['lies within more than 8 archives']);
    const zeros = Buffer.alloc(8 * 1_024 * 1_024);
    const bounds = { ratioFrom: 1_024 * 1_024 };
    const bomb = gzipSync(zeros, { level: constants.Z_BEST_COMPRESSION });
    const result = await scanned(tarOf({ bomb, ...beside }), { bounds });
    expect([result.reasons, places(result)]).toEqual([
      [expect.stringMatching(/unpacks to more than 200 times its size/)],
      ['artifact → z.txt'],
    ]);
    const zip = await scanned(zipOf({ bomb: zeros, ...beside }), { bounds });
    expect([zip.reasons, places(zip)]).toEqual([
      [expect.stringMatching(/unpacks to more than 200 times/)],
      ['artifact → z.txt'],
    ]);
  });

  test('more than is unpacked in all ends the scan, and says so', async () => {
    const texts = { a: gzipSync('word '.repeat(9_999)), b: gzipSync('text '.repeat(9_999)), ...beside };
    const result = await scanned(tarOf(texts), { bounds: { unpackedBytes: 60_000 } });
    expect(result.reasons).toEqual([
      expect.stringMatching(/which is the limit; raise it with --most-unpacked/),
    ]);
  });

  test('a text that is made to be slow', async () => {
    const slow = 'ghs_1_a.'.repeat(20_000);
    const result = await scanned(tarOf({ slow, ...beside }), {
      bounds: { ruleMs: 20, ruleMsPerMegabyte: 1 },
    });
    expect(result.reasons).toEqual(['takes the rules too long; look at it by other means']);
  });

  test('a zip of another archive that is too large to be held', async () => {
    const result = await scanned(
      tarOf({ 'a.zip': zipOf({ a: Buffer.alloc(9_000, 'q7') }, { method: 0 }), ...beside }),
      {
        bounds: { heldBytes: 4_096 },
      },
    );
    expect([result.reasons, places(result)]).toEqual([
      [expect.stringMatching(/is a zip of more than/)],
      ['artifact → z.txt'],
    ]);
  });

  test('names that lead out of a folder, and names that obey a terminal, are names alone', async () => {
    const names = ['../../../etc/passwd', '/etc/shadow', 'C:\\Windows\\a', '\u001b[31mred'];
    for (const pack of [tarOf, zipOf]) {
      const { found, reasons } = await scanned(pack(Object.fromEntries(names.map((name) => [name, secret]))));
      expect([found.length, reasons]).toEqual([names.length, []]);
      expect(found.map(({ place }) => pathText(place.path)).join()).not.toContain('\u001b');
    }
  });
});

test('a program that unpacks itself is looked into on the disk, and told of elsewhere', async () => {
  const program = zipOf({ 'a.txt': secret }, { before: '#!/usr/bin/env python3\n' });
  writeFileSync(join(folder, 'tool.pyz'), program);
  expect(await scannedPath(join(folder, 'tool.pyz'))).toMatchObject({
    places: ['tool.pyz → a.txt'],
    reasons: [],
  });
  const { reasons } = await scanned(tarOf({ 'tool.pyz': program }));
  expect(reasons).toEqual([expect.stringMatching(/ends as a zip does/)]);
});

test('a secret in the name of a file is found, and shown nowhere', async () => {
  const { found, notLookedInto } = await scanned(
    tarOf({ [`${secret}.txt`]: `${secret}`, [`x-${secret}.zip`]: Buffer.from('PK\u0003\u0004') }),
  );
  expect(found.map(({ rule, remark }) => [rule, remark])).toEqual([
    ['GitHubToken', 'it stands in the name of the file'],
    ['GitHubToken', undefined],
    ['GitHubToken', 'it stands in the name of the file'],
  ]);
  expect(JSON.stringify({ found, notLookedInto })).not.toContain(secret);
});

describe('folders', () => {
  const root = join(folder, 'tree');
  mkdirSync(join(root, 'inner', '.git', 'objects', 'ab'), { recursive: true });
  mkdirSync(join(root, '.git', 'objects'), { recursive: true });
  writeFileSync(join(root, '.git', 'config'), `url = https://x:${secret}@github.internal/a`);
  writeFileSync(join(root, 'inner', '.git', 'objects', 'ab', 'c'), 'x');
  writeFileSync(join(root, '.gitignore'), 'ignored.txt');
  writeFileSync(join(root, 'ignored.txt'), secret);
  writeFileSync(join(root, 'b.test.js'), secret);
  symlinkSync('..', join(root, 'inner', 'loop'));
  symlinkSync('ignored.txt', join(root, 'same'));
  symlinkSync('/etc/hostname', join(root, 'outside'));
  symlinkSync('nowhere', join(root, 'dangling'));

  test('are read as they are: what git ignores is shipped, too', async () => {
    const { places: found, reasons } = await scannedPath(root, ['**/*.test.js']);
    expect(found).toEqual(expect.arrayContaining(['tree → .git/config', 'tree → ignored.txt']));
    expect(found.filter((place) => /test\.js|loop|same/.test(place))).toEqual([]);
    expect(reasons.toSorted()).toEqual([
      expect.stringMatching(/^tree → inner\/\.git: is the history of a repository/),
      expect.stringMatching(/^tree → outside: is a link that leads out of the folder/),
    ]);
  });

  test('of the CDK name their assets, and say which are missing or lie elsewhere', async () => {
    const out = join(folder, 'cdk.out');
    mkdirSync(join(out, 'asset.1234'), { recursive: true });
    writeFileSync(join(out, 'asset.1234', 'index.mjs'), `const a = '${secret}'`);
    writeFileSync(
      join(out, 'Shop.template.json'),
      JSON.stringify({ Resources: { A: { Type: 'A', Value: secret } } }),
    );
    const asset = (path: string, displayName?: string) => ({
      displayName,
      source: { path, packaging: 'zip' },
      destinations: {},
    });
    const files = {
      a: asset('asset.1234', 'Shop/Code'),
      b: asset('asset.gone'),
      c: asset('../other'),
      d: asset('Shop.template.json'),
    };
    writeFileSync(join(out, 'Shop.assets.json'), JSON.stringify({ version: '1', files, dockerImages: {} }));
    const { places: found, reasons } = await scannedPath(out);
    expect(found).toEqual([
      'cdk.out → Shop.template.json',
      'cdk.out → asset Shop/Code → asset.1234/index.mjs',
    ]);
    expect(reasons).toEqual([
      'cdk.out → asset.gone: is named by the manifest, and not there',
      expect.stringMatching(/other: .* lies outside of the folder/),
    ]);
  });
});

describe('source maps', () => {
  const map = (more: object = {}) =>
    JSON.stringify({
      version: 3,
      sources: ['src/keys.ts'],
      sourcesContent: [`a\nexport const key =\n"${secret}"`],
      mappings: 'AAAA',
      ...more,
    });
  test.each([
    ['a file', 'app.js.map', map()],
    ['a file with a guard', 'app.js.map', `)]}'\n${map()}`],
    [
      'within code',
      'app.js',
      `f();\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,${Buffer.from(map()).toString('base64')}\n`,
    ],
    [
      'within long code',
      'app.js',
      `${'f();\n'.repeat(99_999)}//# sourceMappingURL=data:application/json;base64,${Buffer.from(map({ mappings: 'A;'.repeat(300_000) })).toString('base64')}`,
    ],
    [
      'with sections',
      'app.js.map',
      JSON.stringify({ version: 3, sections: [{ offset: {}, map: JSON.parse(map()) }] }),
    ],
  ])('%s: the source that is in it is named, with its line', async (_, name, text) => {
    const { found } = await scanned(text, { name });
    expect(found.map(({ place }) => place)).toEqual([{ path: [name, 'src/keys.ts'], line: 3, column: 2 }]);
  });

  test('one that is none is read as a text', async () => {
    expect((await scanned(`{ not json "${secret}"`, { name: 'a.map' })).rules).toEqual(['GitHubToken']);
  });
});

test('whatever is cut off or altered is a finding at most, and never an error', async () => {
  const text = {
    'a.txt': secret,
    'dir/b.bin': Buffer.from(deflateRawSync('x'.repeat(999))),
    'c.js.map': '{"version":3,',
  };
  const wholes = [
    tarOf(text),
    gzipSync(tarOf(text)),
    zipOf(text),
    zstdCompressSync(tarOf(text)),
    zipOf({ 'n.zip': zipOf(text) }),
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...wholes),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(fc.tuple(fc.double({ min: 0, max: 0.9999, noNaN: true }), fc.integer({ min: 0, max: 255 })), {
        maxLength: 6,
      }),
      async (whole, share, changes) => {
        const bytes = Buffer.from(whole.subarray(0, Math.round(whole.length * share)));
        for (const [at, byte] of changes) if (bytes.length > 0) bytes[Math.floor(at * bytes.length)] = byte;
        const { found } = await scanned(bytes);
        expect(found.length).toBeLessThanOrEqual(3);
        const file = join(folder, 'altered');
        writeFileSync(file, bytes);
        await scannedPath(file);
      },
    ),
    { numRuns: 150 },
  );
  expect(readFileSync(join(folder, 'altered')).length).toBeGreaterThanOrEqual(0);
});
