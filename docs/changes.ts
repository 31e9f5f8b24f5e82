import { type Change, changes, effects } from '../lib/config/changes.ts';
import { contentChanges, contentEffects } from '../lib/config/content-changes.ts';
import type { ContentEffect } from '../rotators/descriptor.ts';

/** Headings of the tables, with the beginning of the paths of their fields. A field is in the first table that fits. */
const groups = [
  ['Secrets', 'secrets.*', 'secret'],
  ['Networks', 'networks.*', 'network'],
  ['Roles', 'access.', 'role'],
  ['The environment', '', 'setting'],
] as const;

/** Writes the tables of what a change of each field does, as Markdown. */
export function changesPart(): string {
  const rows: readonly (readonly [string, Change])[] = Object.entries(changes);
  const groupOf = (field: string) => groups.find(([, prefix]) => field.startsWith(prefix));
  const tables = groups.map((group) => {
    const [heading, prefix, what] = group;
    const lines = rows
      .filter(([field]) => groupOf(field) === group)
      .map(([field, change]) => `| ${nameOf(field, prefix)} | ${effects[change.effect]} | ${change.what} |`);
    return [
      `**${heading}**`,
      '',
      `| ${what} | takes effect | what a change does |`,
      '|---|---|---|',
      ...lines,
    ].join('\n');
  });
  return [...tables, contentTable()].join('\n\n');
}

function nameOf(field: string, prefix: string): string {
  const rest = field.slice(prefix.endsWith('*') ? prefix.length : 0).replace(/^\./, '');
  return rest === '' ? 'its key' : `\`${rest.replaceAll('.*.', '[].').replace(/\.\*$/, '')}\``;
}

function contentTable(): string {
  const kinds = Object.keys(contentEffects) as readonly ContentEffect[];
  const lines = Object.entries(contentChanges).map(([type, fields]) => {
    const cells = kinds.map((kind) =>
      Object.keys(fields)
        .filter((field) => fields[field] === kind)
        .map((field) => `\`${field}\``)
        .join(', '),
    );
    return `| \`${type}\` | ${cells.map((cell) => cell || '–').join(' | ')} |`;
  });
  return [
    '#### Fields of created secrets',
    '',
    ...kinds.map((kind) => `- **${kind}**: ${contentEffects[kind]}.`),
    '',
    'A field that a type does not know is written. Secrets of `http` and `external` are adopted, and Rekey writes nothing of the configuration into an adopted secret.',
    '',
    `| \`type\` | ${kinds.join(' | ')} |`,
    `|---${'|---'.repeat(kinds.length)}|`,
    ...lines,
  ].join('\n');
}
