import { type HandStep, stepsByHand } from '../rotators/by-hand.ts';
import type { SecretTypeDescriptor } from '../rotators/descriptor.ts';
import { registry, secretTypes } from '../rotators/registry.ts';

const fences: Readonly<Record<HandStep['in'], string>> = {
  shell: 'sh',
  sql: 'sql',
  'redis-cli': 'text',
  http: 'text',
};

/** Writes the page of what to run by hand: the steps of every type. A placeholder stands wherever a fact would. */
export function byHandPage(): string {
  const parts = secretTypes.map((type) => {
    const { title }: SecretTypeDescriptor = registry[type];
    const { steps, notes } = stepsByHand[type]({ secret: '<secret>', fields: {} });
    return [
      `## ${title}`,
      ...notes.map((note) => note.replaceAll(/<([^>]+)>/g, '`<$1>`')),
      ...steps.map(stepPart),
    ].join('\n\n');
  });
  return `# By hand

Cutting a leaked credential off without Rekey: the steps that \`rekey revoke <secret> --by-hand\` prints, for the day when not even the
command line is at hand. The command fills in the user, the place and the admin secret from the secret's definition, writes each name in
the quoting of its target, and knows both users of a pair that takes turns. Generated from \`rotators/*/by-hand.ts\` by \`npm run docs\`.

Run the steps in their order, line by line, and put in what stands in \`<…>\`. Nothing here is a value, and none of the lines puts one
among the arguments of a program. What comes after is in [Incident response](incident-response.md).

${parts.join('\n\n')}
`;
}

function stepPart({ aim, in: language, lines, printsLines, note }: HandStep, index: number): string {
  const words = [
    `**${index + 1}. ${aim[0]?.toUpperCase()}${aim.slice(1)}.**`,
    ...(note === undefined ? [] : [note.replaceAll(/<([^>]+)>/g, '`<$1>`')]),
    ...(printsLines === true ? ['Then run each line that it prints.'] : []),
  ].join(' ');
  return `${words}\n\n\`\`\`${fences[language]}\n${lines.join('\n')}\n\`\`\``;
}
