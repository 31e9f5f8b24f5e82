import { describe, expect, test } from '@jest/globals';
import { readAudit, readList } from '../../dependencies/advisories.ts';
import { isPermitted, licenceOf } from '../../dependencies/licences.ts';
import { readPackument } from '../../dependencies/registry.ts';
import { type Facts, problems, rows, table } from '../../dependencies/report.ts';
import { type Locked, packagesIn } from '../../dependencies/shipped.ts';

const minimist: Locked = {
  path: 'node_modules/minimist',
  name: 'minimist',
  version: '1.2.5',
  license: 'MIT',
  integrity:
    'sha512-FM9nNUYrRBAELZQT3xeZQ7fmMOBg6nWNmJKTcgsJeaLstP/UODVpGsr5OhXhhXg6f+qtJ8uiZ+PUxkDWcgIXLw==',
};

/** What npm 11 printed for a lock file with minimist 1.2.5 and a registry that answered with this advisory. */
const audited = {
  auditReportVersion: 2,
  vulnerabilities: {
    minimist: {
      name: 'minimist',
      severity: 'critical',
      isDirect: false,
      via: [
        {
          source: 1097678,
          name: 'minimist',
          dependency: 'minimist',
          title: 'Prototype Pollution in minimist',
          url: 'https://github.com/advisories/GHSA-xvch-5gv4-984h',
          severity: 'critical',
          cwe: ['CWE-1321'],
          range: '>=1.0.0 <1.2.6',
        },
      ],
      effects: ['mkdirp'],
      range: '1.2.5',
      nodes: ['node_modules/minimist', 'node_modules/mkdirp/node_modules/minimist'],
      fixAvailable: true,
    },
    mkdirp: {
      name: 'mkdirp',
      severity: 'critical',
      isDirect: true,
      via: ['minimist'],
      effects: [],
      range: '0.4.1 - 0.5.1',
      nodes: ['node_modules/mkdirp'],
      fixAvailable: true,
    },
  },
  metadata: {},
};

describe('npm audit', () => {
  test('an advisory counts for each place of the package, and not for what depends on it', () => {
    const text =
      'critical: Prototype Pollution in minimist, >=1.0.0 <1.2.6, https://github.com/advisories/GHSA-xvch-5gv4-984h';
    expect(readAudit(JSON.stringify(audited))).toEqual({
      advisories: [
        { path: 'node_modules/minimist', text },
        { path: 'node_modules/mkdirp/node_modules/minimist', text },
      ],
    });
  });

  test('a registry without the endpoint is told in its own words, without its address', () => {
    const refused = {
      message: '405 Method Not Allowed - POST https://npm.example.com/-/npm/v1/security/advisories/bulk',
      method: 'POST',
      statusCode: 405,
      error: { summary: '', detail: '' },
    };
    expect(readAudit(JSON.stringify(refused))).toEqual({ refused: '405 Method Not Allowed' });
    expect(readAudit('npm ERR!')).toEqual({ refused: 'npm audit printed no JSON' });
    expect(readAudit('{}')).toEqual({ refused: 'npm audit answered in another form' });
  });
});

test('the list of advisories names versions one by one', () => {
  const list = JSON.stringify({ minimist: ['1.2.4', '1.2.5'], constructor: ['1.0.0'], other: [] });
  const fixed = { ...minimist, version: '1.2.6' };
  expect(readList(list, [minimist, fixed, { ...minimist, name: 'toString' }])).toEqual([
    {
      path: 'node_modules/minimist',
      text: 'minimist 1.2.5 is in the list of scan-compromised; look for its advisory',
    },
  ]);
  expect(() => readList('{"minimist":"1.2.5"}', [minimist])).toThrow('expected array');
});

describe('what the registry says of a package', () => {
  const packument = {
    'dist-tags': { latest: '4.0.0' },
    versions: ['2.9.0', '3.9.0', '3.10.0', '3.11.0-canary.20f732b', '4.0.0', '30.0.0'],
    time: { '3.9.0': '2026-10-13T14:33:39+00:00', '4.0.0': '2026-11-01T10:00:00.000Z' },
    deprecated: 'no longer maintained',
  };

  test('newest of a major is by numbers, and no release before its time', () => {
    expect(readPackument(JSON.stringify(packument), '3.9.0')).toEqual({
      published: new Date('2026-10-13T14:33:39Z'),
      newestOfMajor: '3.10.0',
      latest: '4.0.0',
      deprecated: 'no longer maintained',
    });
  });

  test('a single version comes without a list, and a version that is not known as nothing', () => {
    const { deprecated, ...rest } = packument;
    const single = { ...rest, versions: '1.1.236', time: {} };
    expect(readPackument(JSON.stringify(single), '1.1.236')).toEqual({
      newestOfMajor: '1.1.236',
      latest: '4.0.0',
    });
    expect(readPackument('', '3.9.0')).toBeUndefined();
    expect(readPackument('{"error":{"code":"E404"}}', '3.9.0')).toBeUndefined();
    expect(deprecated).toBeDefined();
  });
});

test('a licence is read in each form that a package.json may have, and a choice of two is ours', () => {
  expect(licenceOf({ license: 'MIT' })).toBe('MIT');
  expect(licenceOf({ license: { type: 'ISC', url: 'x' } })).toBe('ISC');
  expect(licenceOf({ licenses: [{ type: 'MIT' }, { type: 'Apache-2.0' }] })).toBe('MIT OR Apache-2.0');
  expect(licenceOf({})).toBeUndefined();
  expect(['(MIT OR GPL-3.0-or-later)', 'MIT', 'MIT AND GPL-3.0', 'GPL-3.0', ''].map(isPermitted)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('a package is in a bundle when a byte of it is, wherever it is installed', () => {
  const input = (bytesInOutput: number) => ({ bytesInOutput });
  const output = (inputs: Record<string, { bytesInOutput: number }>) => ({
    bytes: 1,
    inputs,
    imports: [],
    exports: [],
  });
  expect(
    packagesIn({
      inputs: {},
      outputs: {
        'index.mjs': output({
          'lambdas/audit/writer.ts': input(9),
          'node_modules/pg/lib/index.js': input(5),
          'node_modules/pg/lib/client.js': input(5),
          'node_modules/unused/index.js': input(0),
        }),
        'chunk.mjs': output({ 'node_modules/a/node_modules/@b/c/d/e.js': input(1) }),
      },
    }),
  ).toEqual(['node_modules/a/node_modules/@b/c', 'node_modules/pg']);
});

describe('the audit', () => {
  const inside: Locked = {
    path: 'node_modules/cdk/node_modules/yaml',
    name: 'yaml',
    version: '1.0.0',
    license: 'ISC',
    inBundle: true,
  };
  const tool: Locked = {
    ...minimist,
    path: 'node_modules/tool',
    name: 'tool',
    dev: true,
    license: 'GPL-3.0',
  };
  const ofTool: Locked = { ...tool, path: 'node_modules/of-tool', name: 'of-tool' };
  const facts: Facts = {
    locked: [tool, minimist, ofTool, inside],
    development: ['tool'],
    bundled: ['node_modules/minimist'],
    known: new Map([
      [
        minimist.path,
        { latest: '1.2.8', newestOfMajor: '1.2.8', published: new Date('2026-11-01T12:00:00Z') },
      ],
      [tool.path, { latest: '1.2.5', newestOfMajor: '1.2.5', deprecated: 'gone' }],
    ]),
    licences: new Map([
      [minimist.path, 'MIT'],
      [inside.path, 'ISC'],
      [tool.path, 'MIT'],
    ]),
    advisories: [],
    now: new Date('2026-11-27T11:59:59Z'),
  };

  test('lists what is shipped and the direct development dependencies, by name', () => {
    expect(table(rows(facts)).split('\n')).toEqual([
      'package   version  in            days  newest of major  newest  licence',
      'minimist  1.2.5    bundles       25    1.2.8            1.2.8   MIT',
      'tool      1.2.5    development   ?     =                =       MIT      DEPRECATED',
      'yaml      1.0.0    installation  ?     ?                ?       ISC',
    ]);
  });

  test('finds nothing where only development has a deprecated package, an advisory and another licence', () => {
    const advisories = [tool, ofTool].map(({ path }) => ({ path, text: 'critical' }));
    expect(problems({ ...facts, advisories })).toEqual([]);
  });

  test('fails for an advisory, a deprecation, a hash and a licence', () => {
    const { integrity, ...unhashed } = ofTool;
    const wrong = problems({
      ...facts,
      locked: [minimist, unhashed, inside],
      known: new Map([[minimist.path, { latest: '1.2.8', deprecated: 'use another' }]]),
      licences: new Map([
        [minimist.path, 'GPL-3.0'],
        [inside.path, 'ISC'],
      ]),
      advisories: [{ path: minimist.path, text: 'critical: pollution' }],
    });
    expect(wrong).toEqual([
      { path: minimist.path, kind: 'vulnerability', text: 'critical: pollution' },
      { path: minimist.path, kind: 'deprecated', text: 'use another' },
      { path: ofTool.path, kind: 'hash', text: 'the lock file has no sha512 of it' },
      {
        path: minimist.path,
        kind: 'licence',
        text: 'its package.json says GPL-3.0, the lock file MIT',
      },
    ]);
    expect(integrity).toMatch(/^sha512-/);
  });

  test('fails for a licence that both name, and for a deprecation that only the lock file knows', () => {
    const old: Locked = { ...minimist, license: 'GPL-3.0', deprecated: 'use another' };
    const licences = new Map([[old.path, 'GPL-3.0']]);
    expect(problems({ ...facts, locked: [old], known: new Map(), licences })).toEqual([
      { path: old.path, kind: 'deprecated', text: 'use another' },
      { path: old.path, kind: 'licence', text: 'GPL-3.0 is not permitted' },
    ]);
  });

  test('fails for what is in a bundle, though it is only a development dependency', () => {
    const bundled = { ...facts, locked: [tool], bundled: [tool.path] };
    expect(problems(bundled).map(({ kind }) => kind)).toEqual(['deprecated', 'licence']);
  });
});
