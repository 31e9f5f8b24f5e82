import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { packageRoot } from '../../lib/function/bundle.ts';

const folder = join(packageRoot, '.github', 'workflows');
const workflows = readdirSync(folder).map(
  (name) => [name, readFileSync(join(folder, name), 'utf8')] as const,
);

/** Finds what a workflow runs that is not its own, each with what stands behind it on the line. */
const usesIn = (text: string): string[] =>
  [...text.matchAll(/^ *(?:- )?uses: (?!\.\/)(.*)$/gm)].map(([, used = '']) => used);

describe.each(workflows)('%s', (name, text) => {
  test('names each action by its commit, with the version behind it', () => {
    for (const used of usesIn(text)) expect(used).toMatch(/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    for (const [, image] of text.matchAll(/^ *image: (.*)$/gm))
      expect(image).toMatch(/@sha256:[0-9a-f]{64}$/);
  });

  test('leaves no credentials in a checkout', () => {
    const steps = text.split(/^ *- /m).filter((step) => step.startsWith('uses: actions/checkout@'));
    for (const step of steps) expect(step).toMatch(/^ *persist-credentials: false$/m);
  });

  test('gives no permission to all of its jobs, and runs for no stranger with more than that', () => {
    expect(text).toMatch(/^permissions: \{\}$/m);
    expect(text).not.toMatch(/pull_request_target|workflow_run|write-all|read-all/);
    expect(text).not.toMatch(/secrets\./);
  });

  test('puts nothing that somebody else wrote into a shell', () => {
    const scripts = [...text.matchAll(/^ *(?:- )?run: (.*(?:\n {10,}.*)*)/gm)].map(([, script]) => script);
    for (const script of scripts) expect([name, script]).toEqual([name, expect.not.stringContaining('${{')]);
  });
});

test('an action is of one version in all workflows', () => {
  const versions = new Map<string, Set<string>>();
  for (const used of workflows.flatMap(([, text]) => usesIn(text))) {
    const [action = '', version = ''] = used.split('@');
    const repository = action.split('/').slice(0, 2).join('/');
    versions.set(repository, (versions.get(repository) ?? new Set()).add(version));
  }
  expect(versions.size).toBeGreaterThan(4);
  expect([...versions].filter(([, all]) => all.size > 1)).toEqual([]);
});

test('only the environment npm may publish, and only what was built and checked', () => {
  const release = readFileSync(join(folder, 'release.yml'), 'utf8');
  const jobs = release.split(/^ {2}(?=\w+:\n)/m).filter((job) => job.includes('id-token: write'));
  expect(jobs).toHaveLength(1);
  expect(jobs[0]).toMatch(/^publish:\n/);
  expect(jobs[0]).toContain('environment: npm\n');
  expect(jobs[0]).toContain('needs: [check, build]\n');
  expect(jobs[0]).not.toContain('actions/checkout');
  expect(release).toMatch(/^on:\n {2}push:\n {4}tags: \["v\*"\]\n\n/m);
});

test('the development container is the image of the check, with what the check installs', () => {
  const dockerfile = readFileSync(join(packageRoot, '.devcontainer', 'Dockerfile'), 'utf8');
  const check = readFileSync(join(folder, 'ci.yml'), 'utf8');
  expect(/^FROM (.*)$/m.exec(dockerfile)?.[1]).toBe(/^ *image: (.*)$/m.exec(check)?.[1]);
  const whole = readFileSync(join(packageRoot, '.ci', 'run'), 'utf8');
  const needed = [...whole.matchAll(/packages\+=\(([^)]+)\)/g)].flatMap(([, names = '']) => names.split(' '));
  const ofImage = ['nodejs', 'npm'];
  const installed = [...dockerfile.matchAll(/^ {4}(\S+) \\$/gm)].map(([, name]) => name);
  expect(needed).toEqual(expect.arrayContaining([...ofImage, 'python3-venv', 'mariadb-server']));
  expect(installed).toEqual(expect.arrayContaining(needed.filter((name) => !ofImage.includes(name))));
});
