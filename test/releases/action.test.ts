import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { packageRoot } from '../../lib/function/bundle.ts';

const text = readFileSync(join(packageRoot, 'action.yml'), 'utf8');
const action: {
  readonly inputs: Readonly<
    Record<string, { readonly description: string; readonly required: boolean; readonly default?: string }>
  >;
  readonly runs: {
    readonly using: string;
    readonly steps: readonly { readonly run?: string; readonly shell?: string }[];
  };
} = parse(text);
const script = action.runs.steps.find(({ run }) => run !== undefined)?.run ?? '';

/** What `npx` gets when the step runs with these inputs. */
function called(argumentsInput: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-action-'));
  try {
    const npx = join(folder, 'npx');
    writeFileSync(npx, '#!/bin/sh\nfor one in "$@"; do printf "%s\\0" "$one"; done\n');
    chmodSync(npx, 0o755);
    const file = join(folder, 'step.sh');
    writeFileSync(file, script);
    // As GitHub runs it: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#defaultsrunshell
    const out = execFileSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', file], {
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        REKEY_ARGUMENTS: argumentsInput,
        REKEY_PACKAGE: action.inputs.package?.default,
      },
      encoding: 'utf8',
    });
    return out.split('\0').slice(0, -1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the action', () => {
  test('says what each input is for, and gives those that may be left out a value', () => {
    expect(action.runs.using).toBe('composite');
    for (const input of Object.values(action.inputs)) {
      expect(input.description.length).toBeGreaterThan(20);
      expect(input.required).toBe(input.default === undefined);
    }
  });

  test('takes the version of this commit', () => {
    const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
    expect(action.inputs.package?.default).toBe(`@rekey/cli@${version}`);
  });

  test('names each action by its commit, of the version that the workflows have', () => {
    const used = [...text.matchAll(/uses: (.*)$/gm)].map(([, name = '']) => name);
    expect(used).toHaveLength(2);
    for (const name of used) expect(name).toMatch(/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    expect(readFileSync(join(packageRoot, '.github', 'workflows', 'ci.yml'), 'utf8')).toContain(used[0]);
  });

  test('puts no input into a shell', () => {
    for (const { run = '' } of action.runs.steps) expect(run.includes('$' + '{{')).toBe(false);
  });

  test('hands arguments over as they are, one a line', () => {
    const hostile = ['policy', 'check', 'a b', '$(touch x)', '`id`', '"; exit 7 #', '*', '--waivers', "it's"];
    expect(called(`${hostile.join('\n')}\n\n`)).toEqual([
      '--yes',
      '--package',
      '@rekey/cli@0.1.0',
      '--',
      'rekey',
      ...hostile,
    ]);
  });
});
