import { isDeepStrictEqual } from 'node:util';

/** Changes of members of a JSON object: their new values; `undefined` takes one away. */
export type MemberChanges = Readonly<Record<string, unknown>>;

interface Member {
  readonly key: string;
  /** Offset of its key. */
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

const space = /[ \t\n\r]*/y;
const scalar = /[^ \t\n\r,\]}]+/y;
const string = /"[^"\\]*(?:\\.[^"\\]*)*"/y;

/** Finds the end of a match at `from`. The text is JSON, so there always is one. */
function after(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  pattern.test(text);
  return pattern.lastIndex;
}

function endOfValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  do {
    const character = text[at];
    if (character === '"') at = after(string, text, at);
    else {
      if (character === '{' || character === '[') depth += 1;
      else if (character === '}' || character === ']') depth -= 1;
      else if (depth === 0) return after(scalar, text, at);
      at += 1;
    }
  } while (depth > 0);
  return at;
}

/** Lists the members of an object, duplicates included. */
function membersOf(text: string): Member[] {
  const members: Member[] = [];
  let at = after(space, text, text.indexOf('{') + 1);
  while (text[at] === '"') {
    const start = at;
    const keyEnd = after(string, text, start);
    const valueStart = after(space, text, after(space, text, keyEnd) + 1);
    const end = endOfValue(text, valueStart);
    members.push({ key: JSON.parse(text.slice(start, keyEnd)), start, valueStart, end });
    at = after(space, text, end);
    if (text[at] === ',') at = after(space, text, at + 1);
  }
  return members;
}

/**
 * Changes members of a JSON object in its text, and leaves every other byte as it is.
 *
 * What a parser and a serializer lose survives: numbers beyond a double (`9007199254740993`, `1e400`), their form (`1.0`),
 * the order of keys, escapes, white space. Of duplicate keys all get the new value, since readers differ in which one counts.
 *
 * @param text - a JSON object
 * @param changes - new values by key; `undefined` takes a member away, an unknown key is added at the end
 * @example
 * changeMembers('{"id": 9007199254740993, "password": "old"}', { password: 'new' });
 * // '{"id": 9007199254740993, "password": "new"}'
 */
export function changeMembers(text: string, changes: MemberChanges): string {
  const members = membersOf(text);
  const [first] = members;
  const open = text.indexOf('{') + 1;
  const tail = text.slice(members.at(-1)?.end ?? open);
  const lead = first === undefined ? '' : text.slice(open, first.start);
  const colon = first === undefined ? ':' : text.slice(after(string, text, first.start), first.valueStart);
  const gapBefore = (index: number) => text.slice(members[index - 1]?.end ?? open, members[index]?.start);

  let result = text.slice(0, open);
  let written = 0;
  members.forEach(({ key, start, valueStart, end }, index) => {
    const changed = Object.hasOwn(changes, key);
    if (changed && changes[key] === undefined) return;
    result += written === 0 ? lead : gapBefore(index);
    result += changed ? text.slice(start, valueStart) + JSON.stringify(changes[key]) : text.slice(start, end);
    written += 1;
  });
  const gap = members.length > 1 ? gapBefore(members.length - 1) : `,${lead}`;
  const known = new Set(members.map(({ key }) => key));
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || known.has(key)) continue;
    result += `${written === 0 ? lead : gap}${JSON.stringify(key)}${colon}${JSON.stringify(value)}`;
    written += 1;
  }
  return result + tail;
}

const part = /("[^"\\]*(?:\\.[^"\\]*)*")|([ \t\n\r]+)|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

/** Writes a number as any other text of the same number; whole ones keep what a double would lose. */
function plainNumber(token: string): string {
  if (/^-?\d+$/.test(token)) return token === '-0' ? '0' : token;
  const number = Number(token);
  return Number.isFinite(number) ? String(number) : token;
}

/**
 * Gives the text of each member's value in one form, to be compared. An editor or a program that has set the JSON anew,
 * numbers included, has changed nothing. Whole numbers keep what a parser would lose. Of duplicate keys the last counts.
 *
 * @param text - a JSON object
 * @example
 * memberTexts('{"id": 9007199254740993, "list": [1, 2]}');
 * // Map { 'id' => '9007199254740993', 'list' => '[1,2]' }
 */
export const memberTexts = (text: string): ReadonlyMap<string, string> =>
  new Map(
    membersOf(text).map(({ key, valueStart, end }) => [
      key,
      text
        .slice(valueStart, end)
        .replace(part, (_, quoted: string | undefined, space: string | undefined, number: string) => {
          if (space !== undefined) return '';
          return quoted === undefined ? plainNumber(number) : JSON.stringify(JSON.parse(quoted));
        }),
    ]),
  );

/** Finds what has to change for one JSON object to become another one. */
export function memberChanges(from: object, to: object): MemberChanges {
  const old = new Map<string, unknown>(Object.entries(from));
  const changed = Object.entries(to).filter(([key, value]) => !isDeepStrictEqual(old.get(key), value));
  const gone = [...old.keys()].filter((key) => !Object.hasOwn(to, key)).map((key) => [key, undefined]);
  return Object.fromEntries([...gone, ...changed]);
}
