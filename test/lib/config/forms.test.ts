import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { configMigrate } from '../../../cli/commands/config-migrate.ts';
import { Output } from '../../../cli/output.ts';
import { changes } from '../../../lib/config/changes.ts';
import { defineConfig, readConfiguration } from '../../../lib/config/config.ts';
import { formProblem, forms, newestForm, outdated } from '../../../lib/config/forms.ts';
import type { ConfigurationInput } from '../../../lib/config/schema.ts';

/** The settings of each form that was ever there: `REKEY_FREEZE=1` adds the new ones of the newest form, and takes none out. */
const frozenFile = join(import.meta.dirname, 'forms.json');
const frozen: Record<string, readonly string[]> = JSON.parse(readFileSync(frozenFile, 'utf8'));

describe('a setting that goes, or gets another name, ships with what `rekey config migrate` says of it', () => {
  const newest = String(newestForm());
  const now = Object.keys(changes).toSorted();
  if (process.env.REKEY_FREEZE === '1') {
    const all = { ...frozen, [newest]: [...new Set([...(frozen[newest] ?? []), ...now])].toSorted() };
    writeFileSync(frozenFile, `${JSON.stringify(all, undefined, 2)}\n`);
  }

  test('every setting is in the list of the newest form, and each of it is there', () => {
    expect(now).toEqual(frozen[newest]);
  });

  test('every setting that an older form had and the newest has not is in what the forms since then changed', () => {
    const unsaid = Object.entries(frozen).flatMap(([form, fields]) => {
      const moved = forms.slice(Number(form) - 1).flat();
      return fields.filter(
        (field) => !Object.hasOwn(changes, field) && !moved.some(({ from }) => from === field),
      );
    });
    expect(unsaid).toEqual([]);
  });
});

const later = [
  [
    { from: 'secrets.*.owner', to: 'rename to `team`: an owner is one person' },
    { from: 'rotation.maximumAgeDays', to: 'move to `rotation.limits`' },
  ],
  [{ from: 'audit.retentionDays', to: 'rename to `keepDays`' }],
];
const environment = {
  audit: { retentionDays: 1 },
  secrets: {
    orders: { type: 'generic', strategy: 'single-user', create: { name: 'a', fields: {} }, owner: 'x' },
    stock: { type: 'generic', strategy: 'single-user', create: { name: 'b', fields: {} }, owner: 'y' },
  },
} as const;
const input: ConfigurationInput = { environments: { dev: environment } };

describe('a configuration of another form', () => {
  test('without a form is of the first; an older one is refused with the command, a later one with what to do', () => {
    expect(formProblem(input)).toBeUndefined();
    expect(formProblem(input, later)).toMatch(/form 1, .* takes form 3: rekey config migrate/);
    expect(() => defineConfig({ ...input, form: 9 })).toThrow(
      'form 9, and this version of Rekey takes form 1: update',
    );
  });

  test('is compared with every form since its own, place by place', () => {
    expect(outdated(input, later).map(({ path }) => path.join('.'))).toEqual([
      'environments.dev.secrets.orders.owner',
      'environments.dev.secrets.stock.owner',
      'environments.dev.audit.retentionDays',
    ]);
    expect(outdated({ ...input, form: 2 }, later)).toHaveLength(1);
    expect(outdated({ ...input, form: 3 }, later)).toEqual([]);
  });

  test('with a setting that does not exist is asked what was meant', () => {
    const misspelt = { ...environment, secrets: { orders: { ...environment.secrets.orders, ownr: 'x' } } };
    expect(() => defineConfig({ environments: { dev: misspelt } })).toThrow(
      'environments.dev.secrets.orders.ownr: "x": is not a setting; did you mean owner?',
    );
  });
});

describe('rekey config migrate', () => {
  let folder: string;
  let said: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rekey-forms-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const migrate = async (file: string, options: object = {}, json = false) => {
    said = '';
    const stream = {
      write(written: string) {
        said += written;
      },
      terminal: false,
    };
    const output = new Output(stream, stream, { json, colour: false });
    return await configMigrate({ output }, { config: join(folder, file), ...options });
  };
  const configure = async (file: string, text: string) => writeFile(join(folder, file), text);
  const text = `export default ${JSON.stringify(input, undefined, 2)}`;

  test('has nothing to do for the newest form', async () => {
    await configure('newest.mjs', text);
    expect(await migrate('newest.mjs')).toBe(0);
    expect(said).toContain('of form 1, the newest: nothing to do');
  });

  test('names each line to change and what to write, and fails until the form is the newest', async () => {
    await configure('older.mjs', text);
    expect(await migrate('older.mjs', { forms: later })).toBe(1);
    const ownerLines = text
      .split('\n')
      .flatMap((line, index) => (line.includes('"owner"') ? [index + 1] : []));
    expect(said).toMatch(
      new RegExp(
        `${ownerLines.join(', ')} +environments\\.dev\\.secrets\\.orders\\.owner +rename to \`team\``,
      ),
    );
    expect(said).toContain('form: 3, at last');
    await configure('now.mjs', text.replace('{', '{ "form": 3,'));
    expect(await migrate('now.mjs', { forms: [[], []] }).catch((error: Error) => error.message)).toContain(
      'form 3',
    );
  });

  test('is one document with --json', async () => {
    await configure('json.mjs', text);
    await migrate('json.mjs', { forms: later }, true);
    expect(JSON.parse(said)).toMatchObject({ form: 1, newest: 3, changes: [{}, {}, {}] });
  });

  test('reads a file that could not be used, and says what is wrong with one of the newest form', async () => {
    await configure('wrong.mjs', 'export default { environments: { dev: { audit: {} } } }');
    expect(await readConfiguration(join(folder, 'wrong.mjs'))).toEqual({
      environments: { dev: { audit: {} } },
    });
    await expect(migrate('wrong.mjs')).rejects.toThrow('environments.dev.audit.retentionDays');
    await expect(migrate('missing.mjs')).rejects.toThrow('no such file');
  });
});
