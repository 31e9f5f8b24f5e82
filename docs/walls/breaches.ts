import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { type Room, rooms } from './rooms.ts';

/** One import that goes through a wall. */
export interface Breach {
  /** The importing file, relative to the checkout. */
  readonly file: string;
  readonly imported: string;
  /** Text on what is wrong, and what the room may import instead. */
  readonly message: string;
}

const root = join(import.meta.dirname, '..', '..');

const within = (path: string, place: string): boolean => path === place || path.startsWith(`${place}/`);
const lengthOf = ({ folder }: Room): number => folder.length;

/** Finds the innermost room that a file lies in. */
const roomOf = (file: string): Room | undefined =>
  rooms.filter(({ folder }) => within(file, folder)).sort((a, b) => lengthOf(b) - lengthOf(a))[0];

const statement = /(?:\bfrom|\bimport\(|\bimport) ?'([^'$`]+)'/g;
const outside = /^(?:@aws-sdk\/|@redis\/|mysql2|pg(?:$|\/))/;
const cdk = /^(?:aws-cdk-lib|constructs)(?:$|\/)/;

/** Finds what one file imports through a wall; a file outside of every room imports what it likes. */
export function breachesIn(file: string, text: string): Breach[] {
  const room = roomOf(file);
  if (room === undefined) return [];
  const specifiers = [...text.matchAll(statement)].map(([, specifier = '']) => specifier);
  return specifiers.flatMap((specifier) => {
    const imported = specifier.startsWith('.') ? posix.join(dirname(file), specifier) : specifier;
    const message = faultOf(room, specifier, imported);
    return message === undefined
      ? []
      : [{ file, imported, message: `${file} imports ${imported}: ${message}` }];
  });
}

function faultOf(room: Room, specifier: string, imported: string): string | undefined {
  const { folder, imports, but = [] } = room;
  if (specifier.startsWith('.')) {
    const isIn = (place: string) => within(imported, place);
    const allowed = roomOf(imported) === room || (imports.some(isIn) && !but.some(isIn));
    const except = but.length === 0 ? '' : `, but not ${but.join(', ')}`;
    return allowed ? undefined : `${folder}/ may import ${imports.join(', ') || 'no other room'}${except}`;
  }
  if (outside.test(specifier) && !room.outside)
    return `${folder}/ talks to the outside through adapters/ only`;
  if (cdk.test(specifier) && !room.cdk) return `${folder}/ runs without the CDK`;
  return undefined;
}

/** Finds every import in the checkout that goes through a wall. */
export function findBreaches(): Breach[] {
  const folders = [...new Set(rooms.map(({ folder }) => folder.split('/')[0] ?? folder))];
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => posix.join(folder, path))
      .flatMap((file) => breachesIn(file, readFileSync(join(root, file), 'utf8'))),
  );
}
