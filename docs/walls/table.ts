import { type Room, rooms } from './rooms.ts';

const code = (text: string): string => `\`${text}\``;
const folder = (path: string): string => code(path.endsWith('.ts') ? path : `${path}/`);

function row({ folder: name, imports, but = [], outside, cdk }: Room): string {
  const packages = [...(outside ? ['the AWS SDK and drivers'] : []), ...(cdk ? ['the CDK'] : [])];
  const rooms = imports.map(folder).join(', ') || 'no other room';
  const except = but.length === 0 ? '' : `, but not ${but.map(folder).join(', ')}`;
  return `| ${folder(name)} | ${rooms}${except} | ${packages.join(', ') || '–'} |`;
}

/** Writes the table of who may import whom. */
export const wallsTable = (): string =>
  ['| room | may import | and of packages with an outside |', '|---|---|---|', ...rooms.map(row)].join('\n');
