import { Collector } from '../collector.ts';
import { expanded } from '../scripts.ts';
import { secretsOfVariable } from '../secret-id.ts';
import { baseName, type ManifestFinder } from './finder.ts';

const named =
  /^(?:\.env|env)(?:[._-][\w.-]+)?$|^[\w.-]+\.env(?:[._-](?:template|example|sample|dist|tpl|tmpl))?$/i;
const noEnvironment =
  /^(?:template|example|sample|dist|tpl|tmpl|local|defaults?|schema|test-?data|vault|me|keys|ts|js|md|ya?ml|json)$/i;
const longestLine = 10_000;

/**
 * Finds variables that name secrets, by the form of the value or by the name of the variable. Comments, and names that somebody has
 * to fill in, are none.
 */
export const dotenv: ManifestFinder = {
  format: 'dotenv',
  title: 'Templates of dotenv files',
  recognizes: ({ name, documents }) =>
    named.test(baseName(name)) && documents.length === 0 && !/\.(?:[jt]sx?|md|sh)$/.test(name),
  find: (file) => {
    const collector = new Collector('dotenv', file);
    const environment = baseName(file.name)
      .split('.')
      .find(
        (part) =>
          part !== '' &&
          !/^(?:env|\.env)$/i.test(part) &&
          !noEnvironment.test(part) &&
          /^[A-Za-z][\w-]*$/.test(part),
      );
    const known = new Map<string, string>();
    for (const [index, line] of file.text
      .replace(/^\ufeff/, '')
      .split(/\r?\n/)
      .entries()) {
      const [, name, written = ''] =
        /^\ufeff?\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(.*)$/.exec(line.slice(0, longestLine)) ?? [];
      if (name === undefined) continue;
      const text = readValue(written, known);
      known.set(name, text);
      for (const read of secretsOfVariable(name, text))
        collector.take(read, collector.line(index + 1, name), { environment });
    }
    return collector.reading;
  },
};

/** Reads a value: quotes off, a comment behind it away, and variables of the lines before it filled in. */
function readValue(written: string, known: ReadonlyMap<string, string>): string {
  const single = /^'([^']*)'/.exec(written)?.[1];
  if (single !== undefined) return single;
  const text = /^"((?:[^"\\]|\\.)*)"/.exec(written)?.[1] ?? written.replace(/\s#.*$/, '').trim();
  return expanded(text, known);
}
