import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Budget } from '../../../cli/scan/bounded.ts';
import { lookIntoHistory, lookIntoStaged } from '../../../cli/scan/git.ts';
import { Scan } from '../../../cli/scan/look.ts';
import { usualBounds } from '../../../core/scan/bounds.ts';
import { zipOf } from './pack.ts';
import { planted } from './planted.ts';

const secretOf = (of: string) => planted.find(({ name }) => name === of)?.value ?? '';
const [github, gitlab, npm] = [secretOf('GitHub'), secretOf('GitLab'), secretOf('npm')];

const repository = mkdtempSync(join(tmpdir(), 'rekey-scan-git-'));
const elsewhere = mkdtempSync(join(tmpdir(), 'rekey-scan-nogit-'));
afterAll(() => {
  for (const folder of [repository, elsewhere]) rmSync(folder, { recursive: true, force: true });
});
const git = (...args: readonly string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', '-C', repository, ...args], {
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
    .toString()
    .trim();
const commit = (message: string): string => {
  git('commit', '-q', '--allow-empty', '-m', message);
  return git('rev-parse', 'HEAD').slice(0, 12);
};
const put = (name: string, content: string | Buffer) => {
  writeFileSync(join(repository, name), content);
  git('add', '--', name);
};

git('init', '-q');
put('key with spaces.js', `a\n${github}`);
put('archive.zip', zipOf({ 'in.txt': npm }));
const first = commit('first');
git('rm', '-q', 'key with spaces.js', 'archive.zip');
const second = commit(`removes it, and says ${gitlab}`);
put('again.js', `a\n${github}`);
commit('the same content under another name');

async function looked(look: (scan: Scan) => Promise<void>) {
  const scan = new Scan(new Budget(usualBounds));
  await look(scan);
  return {
    places: scan.found.map(({ rule, place }) => [rule, ...place.path.slice(1), place.line]),
    reasons: scan.notLookedInto.map(({ reason }) => reason),
  };
}

describe('the history of a repository', () => {
  test('is looked into, files that are gone and messages among it, and each content once', async () => {
    expect(await looked((scan) => lookIntoHistory(scan, repository))).toEqual({
      places: [
        ['NpmAccessToken', `commit ${first}`, 'archive.zip', 'in.txt', 1],
        ['GitHubToken', `commit ${first}`, 'key with spaces.js', 2],
        ['GitLabToken', `commit ${second}`, 'message', 2],
      ],
      reasons: [],
    });
  });

  test('is looked into within a range', async () => {
    const { places } = await looked((scan) => lookIntoHistory(scan, repository, `${second}..HEAD`));
    expect(places.map(([rule]) => rule)).toEqual(['GitHubToken']);
  });

  test.each([['--output=/tmp/x'], ['no-such-branch'], ['HEAD --all']])(
    'a range %s is no option and no error',
    async (range) => {
      const { places, reasons } = await looked((scan) => lookIntoHistory(scan, repository, range));
      expect([places, reasons]).toEqual([[], ['git cannot read the repository, or the range']]);
    },
  );

  test('a copy without the commits of before is no history of everything', async () => {
    const shallow = join(elsewhere, 'shallow');
    execFileSync('git', ['clone', '-q', '--depth', '1', `file://${repository}`, shallow]);
    const { reasons } = await looked((scan) => lookIntoHistory(scan, shallow));
    expect(reasons).toEqual([expect.stringMatching(/^is a shallow clone.*fetch-depth: 0/)]);
  });

  test('a name that looks like a commit hides no content behind it', async () => {
    const odd = join(elsewhere, 'odd');
    execFileSync('git', ['init', '-q', odd]);
    const at = (...args: readonly string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', '-C', odd, ...args]);
    mkdirSync(join(odd, `commit ${'a'.repeat(40)}\nx`));
    writeFileSync(join(odd, `commit ${'a'.repeat(40)}\nx`, 'y'), 'nothing');
    writeFileSync(join(odd, 'config.env'), github);
    at('add', '-A');
    const staged = await looked((scan) => lookIntoStaged(scan, odd));
    at('commit', '-q', '-m', 'one');
    const history = await looked((scan) => lookIntoHistory(scan, odd));
    expect([staged, history].map(({ places }) => places.map(([rule]) => rule))).toEqual([
      ['GitHubToken'],
      ['GitHubToken'],
    ]);
  });

  test('a folder without one is a finding', async () => {
    expect((await looked((scan) => lookIntoHistory(scan, elsewhere))).reasons).toEqual([
      'git cannot read the repository, or the range',
    ]);
  });

  test('a configuration that would run programs runs none', async () => {
    const witness = join(elsewhere, 'ran');
    const script = join(elsewhere, 'script.sh');
    writeFileSync(script, `#!/bin/sh\ntouch ${witness}\n`, { mode: 0o755 });
    for (const name of [
      'core.fsmonitor',
      'core.pager',
      'diff.external',
      'core.sshCommand',
      'core.alternateRefsCommand',
      'gpg.program',
      'diff.x.textconv',
      'diff.x.command',
    ])
      git('config', name, script);
    git('config', 'log.showSignature', 'true');
    writeFileSync(join(repository, '.git', 'info', 'attributes'), '* diff=x\n');
    // The setting works, where it is not switched off.
    git('status');
    expect(existsSync(witness)).toBe(true);
    rmSync(witness);
    const { places } = await looked(async (scan) => {
      await lookIntoHistory(scan, repository);
      await lookIntoStaged(scan, repository);
    });
    expect([places.length, existsSync(witness)]).toEqual([3, false]);
    for (const name of ['core.fsmonitor', 'diff.external', 'core.pager']) git('config', '--unset', name);
  });
});

describe('what is staged', () => {
  test('is looked into as it stands in the index, and nothing else', async () => {
    put('staged.js', `k = "${npm}"`);
    writeFileSync(join(repository, 'staged.js'), 'clean again, and not staged');
    writeFileSync(join(repository, 'unstaged.js'), github);
    expect(await looked((scan) => lookIntoStaged(scan, repository))).toEqual({
      places: [['NpmAccessToken', 'staged.js', 1]],
      reasons: [],
    });
    git('reset', '-q');
    expect((await looked((scan) => lookIntoStaged(scan, repository))).places).toEqual([]);
  });

  test('is looked into before the first commit, too', async () => {
    const fresh = mkdtempSync(join(tmpdir(), `${basename(repository)}-`));
    execFileSync('git', ['-C', fresh, 'init', '-q']);
    writeFileSync(join(fresh, 'a.js'), npm);
    execFileSync('git', ['-C', fresh, 'add', 'a.js']);
    const { places } = await looked((scan) => lookIntoStaged(scan, fresh));
    rmSync(fresh, { recursive: true, force: true });
    expect(places).toEqual([['NpmAccessToken', 'a.js', 1]]);
  });
});
