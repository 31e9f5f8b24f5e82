import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { defineConfig, readConfiguration } from '../../lib/config/config.ts';
import { formOf, newestForm, type Outdated, outdated } from '../../lib/config/forms.ts';
import type { ConfigurationInput } from '../../lib/config/schema.ts';
import type { Invocation } from '../context.ts';
import type { ExitCode } from '../errors.ts';

/** Options of {@link configMigrate}. The forms are those of this version, unless a test brings its own. */
export interface MigrateOptions {
  /** Path of the configuration file. */
  readonly config: string;
  readonly forms?: Parameters<typeof newestForm>[0];
}

/**
 * Runs `rekey config migrate`: names each line that a newer form has changed, and what to write there. The file is code, so a
 * person changes it. Reads no secret and asks AWS for nothing.
 */
export async function configMigrate(
  { output }: Pick<Invocation, 'output'>,
  { config, forms }: MigrateOptions,
): Promise<ExitCode> {
  const file = resolve(config);
  const name = relative(process.cwd(), file);
  const input = await readConfiguration(file);
  const [form, newest] = [formOf(input), newestForm(forms)];
  const lines = readFileSync(file, 'utf8').split('\n');
  const found = outdated(input, forms).map((change) => ({ ...change, lines: linesOf(lines, change) }));
  output.document({
    file: name,
    form,
    newest,
    changes: found.map(({ path, to, lines: at }) => ({ setting: path.join('.'), lines: at, to })),
  });
  if (form === newest) {
    // Says what else is wrong with it, as a synth would.
    defineConfig(input as ConfigurationInput);
    output.line(`${name} is of form ${form}, the newest: nothing to do`, 'good');
    return 0;
  }
  if (form > newest) {
    output.line(`${name} is of form ${form}, and this version takes form ${newest}: update Rekey`, 'bad');
    return 1;
  }
  output.line(`${name} is of form ${form}, and this version takes form ${newest}. Change:`);
  output.table(
    ['LINE', 'SETTING', 'TO'],
    [
      ...found.map(({ path, to, lines: at }) => [at.join(', ') || '?', path.join('.'), to]),
      ['', 'form', `form: ${newest}, at last`],
    ],
  );
  output.line('Then: npx cdk diff --all. No secret is touched by it.');
  return 1;
}

/** Numbers the lines on which a setting's own name stands as a key. A file is code, so there may be none. */
function linesOf(lines: readonly string[], { path }: Outdated): readonly number[] {
  const key = path.at(-1) ?? '';
  const asKey = new RegExp(`(^|[\\s{,])['"]?${key.replace(/[^\w]/g, '\\$&')}['"]?\\s*[:,(}]`);
  return lines.flatMap((line, index) => (asKey.test(line) ? [index + 1] : []));
}
