import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { packageRoot } from '../../lib/function/bundle.ts';
import { bundleCli, own } from '../../packages/build.ts';
import { manifestOf } from '../../packages/manifest.ts';
import { entriesOf, obstacles } from '../../packages/release.ts';

const run = promisify(execFile);
const changelog = readFileSync(join(packageRoot, 'CHANGELOG.md'), 'utf8');

describe('there is one version', () => {
  test('in package.json and the lock file', () => {
    const { version, packages } = JSON.parse(readFileSync(join(packageRoot, 'package-lock.json'), 'utf8'));
    expect([version, packages[''].version]).toEqual([own.version, own.version]);
    expect(own.version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test('in the changelog, as its newest, and each stands there once', () => {
    const versions = entriesOf(changelog).map(({ version }) => version);
    expect(versions[0]).toBe(own.version);
    expect(new Set(versions).size).toBe(versions.length);
    expect(changelog.match(/^## /gm)).toHaveLength(versions.length);
  });

  test.each(['constructs', 'cli'] as const)('in the manifest of %s', (name) => {
    expect(manifestOf(name, own).version).toBe(own.version);
  });

  test('in what the command line prints, of the checkout and of its package', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rekey-version-'));
    try {
      bundleCli(folder);
      writeFileSync(join(folder, 'package.json'), JSON.stringify(manifestOf('cli', own)));
      for (const root of [packageRoot, folder]) {
        const { stdout } = await run(process.execPath, [join(root, 'bin', 'rekey.js'), '--version']);
        expect([root, stdout]).toEqual([root, `${own.version}\n`]);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('a Node that is too old is told so, in one sentence', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rekey-node-'));
    bundleCli(folder);
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifestOf('cli', own)));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Runs the program on a Node that takes itself for another version. */
  const versionOn = async (node: string, root: string) => {
    const pretend = `Object.defineProperty(process,'versions',{value:{...process.versions,node:'${node}'}})`;
    return await run(process.execPath, [
      ...['--import', `data:text/javascript,${encodeURIComponent(pretend)}`],
      ...[join(root, 'bin', 'rekey.js'), '--version'],
    ]).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
    );
  };

  test.each(['18.20.8', '20.20.2', '22.17.1'])('%s', async (node) => {
    const sentence = `rekey: NodeTooOld: rekey needs Node 22.18 or later, found ${node}`;
    expect(await versionOn(node, folder)).toEqual({ code: 3, stdout: '', stderr: `${sentence}\n` });
    expect(await versionOn(node, packageRoot)).toEqual({
      code: 3,
      stdout: '',
      stderr: `${sentence}; npm run -s rekey -- <command> runs on the Node of this checkout\n`,
    });
  });

  test('by what the package says it needs, up to which it runs', async () => {
    const { engines } = manifestOf('cli', own);
    expect(engines).toEqual({ node: '>=22.18' });
    for (const node of ['22.18.0', '24.0.0']) {
      expect(await versionOn(node, folder)).toEqual({ code: 0, stdout: `${own.version}\n`, stderr: '' });
    }
  });
});

describe('what a release looks at', () => {
  const manifest = {
    ...own,
    version: '1.2.0',
    repository: { type: 'git', url: 'git+https://github.com/owner/rekey.git' },
  } as const;
  const right = {
    tag: 'v1.2.0',
    repository: 'https://github.com/owner/rekey',
    manifest,
    changelog: '# Changelog\n\n## 1.2.0 - 2026-12-24\n\n- More.\n\n## 1.1.0 - 2026-12-01\n\n- Less.\n',
  };

  test('holds nothing against a commit where all agrees', () => {
    expect(obstacles(right)).toEqual([]);
    expect(entriesOf(right.changelog)).toEqual([
      { version: '1.2.0', date: '2026-12-24', notes: '- More.' },
      { version: '1.1.0', date: '2026-12-01', notes: '- Less.' },
    ]);
  });

  test('names a tag of another version, a version that the changelog lacks, and a missing day', () => {
    expect(obstacles({ ...right, tag: 'v1.2.1' })).toEqual([
      'the tag is v1.2.1, and the version in package.json is 1.2.0',
    ]);
    expect(obstacles({ ...right, changelog: '# Changelog\n' })).toEqual([
      'the newest version in CHANGELOG.md is missing, not 1.2.0',
    ]);
    expect(obstacles({ ...right, changelog: '## 1.2.0 - unreleased\n\n- More.\n' })).toEqual([
      'CHANGELOG.md says unreleased where the day of the release belongs',
    ]);
  });

  test('names a repository that is missing or another', () => {
    const { repository, ...without } = manifest;
    expect(obstacles({ ...right, manifest: without })).toEqual([
      '"repository" in package.json is missing, and the release runs in https://github.com/owner/rekey',
    ]);
    expect(obstacles({ ...right, repository: 'https://github.com/fork/rekey' })).toEqual([
      '"repository" in package.json is https://github.com/owner/rekey, and the release runs in https://github.com/fork/rekey',
    ]);
    expect(manifestOf('cli', manifest)).toMatchObject({
      repository: { ...repository, directory: 'packages/cli' },
    });
  });
});
