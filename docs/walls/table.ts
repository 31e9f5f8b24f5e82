import { type Room, rooms } from './rooms.ts';

const code = (text: string): string => `\`${text}\``;
const folder = (path: string): string => code(path.endsWith('.ts') ? path : `${path}/`);

function row({ folder: name, imports, outside, cdk }: Room): string {
  const packages = [...(outside ? ['the AWS SDK and drivers'] : []), ...(cdk ? ['the CDK'] : [])];
  return `| ${folder(name)} | ${imports.map(folder).join(', ') || 'no other room'} | ${packages.join(', ') || '–'} |`;
}

/** Writes the table of who may import whom. */
export const wallsTable = (): string =>
  ['| room | may import | and of packages with an outside |', '|---|---|---|', ...rooms.map(row)].join('\n');
