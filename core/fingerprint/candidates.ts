import { mostCandidates } from './lookup.ts';
import { objectIn } from './values.ts';

/** A value that may be the secret, and how it was found in what was given. */
export interface Candidate {
  readonly value: string;
  /** Steps from what was given to the value, such as `base64 decoded`. They quote nothing of it. */
  readonly form: string;
}

/** One way to read a text as something that holds a value. */
interface Reading {
  readonly name: string;
  readonly of: (text: string) => readonly string[];
}

/** Steps from what was given that are tried one after the other: a URL in base64 in JSON takes three. */
const deepest = 4;
/** The shortest text that is taken for base64. */
const shortestCode = 8;

const percentDecoded = (text: string): readonly string[] => {
  if (!/%[0-9A-Fa-f]{2}/.test(text)) return [];
  try {
    return [decodeURIComponent(text)];
  } catch {
    return [];
  }
};

/** Decodes base64 of both alphabets, as far as it is text. */
function base64Decoded(text: string): readonly string[] {
  const bare = text.replaceAll(/\s/g, '');
  if (bare.length < shortestCode || !/^(?:[A-Za-z0-9+/]+|[A-Za-z0-9_-]+)={0,2}$/.test(bare)) return [];
  const bytes = Buffer.from(bare, bare.includes('-') || bare.includes('_') ? 'base64url' : 'base64');
  try {
    return [new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)];
  } catch {
    return [];
  }
}

/** Reads a text that stands in quotes, as in JSON, YAML or a shell. */
function unquoted(text: string): readonly string[] {
  const inside = /^(["'`])([\s\S]*)\1$/.exec(text.trim());
  const [, quote, held] = inside ?? [];
  if (held === undefined) return [];
  if (quote !== '"') return [held];
  try {
    return [String(JSON.parse(text.trim())), held];
  } catch {
    return [held];
  }
}

/** Reads the escapes of JSON, as a value has them that was copied from between its quotes. */
function unescaped(text: string): readonly string[] {
  if (!text.includes('\\')) return [];
  try {
    return [String(JSON.parse(`"${text}"`))];
  } catch {
    return [text.replaceAll(/\\(.)/g, '$1')];
  }
}

/** URLs of one text that are read, and characters of each. */
const mostUrls = 10;
const longestUrl = 8_192;

/**
 * Finds the password between a scheme and a host, `postgresql://app:p%40ss@db/orders`, and the values of a query. The password
 * may hold a bare `@`.
 */
function valuesInUrls(text: string): readonly string[] {
  const values: string[] = [];
  let at = text.indexOf('://');
  for (let urls = 0; at >= 0 && urls < mostUrls; urls += 1) {
    const [rest = ''] = text.slice(at + 3, at + 3 + longestUrl).split(/\s/, 1);
    const [colon, host] = [rest.indexOf(':'), rest.lastIndexOf('@')];
    if (colon >= 0 && host > colon) values.push(rest.slice(colon + 1, host));
    const [query = ''] = rest.slice(rest.indexOf('?') + 1 || rest.length).split('#', 1);
    for (const pair of query.split('&')) {
      const equals = pair.indexOf('=');
      if (equals > 0) values.push(pair.slice(equals + 1));
    }
    at = text.indexOf('://', at + 3);
  }
  return values;
}

const longestName = 80;

/** Reads what stands behind the first `=` or `:`; a name is before it. */
function behindName(text: string): readonly string[] {
  const at = text.slice(0, longestName).search(/[:=]/);
  if (at < 1 || !/^[\w\s"'.-]+$/.test(text.slice(0, at))) return [];
  const value = text.slice(at + 1).trim();
  return value.endsWith(',') ? [value.slice(0, -1).trimEnd()] : [value];
}

/** Finds values behind `=` and `:`: of a `.env` file, a connection string, a manifest, a header. */
const assigned = (text: string): readonly string[] =>
  text
    .split('\n')
    .slice(0, mostCandidates)
    .flatMap((line) => [line, ...line.split(';', mostCandidates)])
    .flatMap(behindName);

/** Reads the password of `user:password`, as the header of a login has it. */
function loginPassword(text: string): readonly string[] {
  const at = text.indexOf(':');
  return at < 1 || /\s/.test(text.slice(0, at)) ? [] : [text.slice(at + 1)];
}

/** Takes the ends of lines off the end of a text. */
function withoutLineEnds(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === '\n' || text[end - 1] === '\r')) end -= 1;
  return text.slice(0, end);
}

/** Finds the texts in a JSON document. */
function textsOfJson(text: string): readonly string[] {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (found.length >= mostCandidates) return;
    if (typeof value === 'string') found.push(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
  };
  const trimmed = text.trim();
  visit(objectIn(trimmed.startsWith('[') ? `{"list":${trimmed}}` : trimmed));
  return found;
}

/** Every way to read a text, the likely ones first. */
const readings: readonly Reading[] = [
  { name: 'ends trimmed', of: (text) => [withoutLineEnds(text), text.trim()] },
  { name: 'quotes taken off', of: unquoted },
  { name: 'percent decoded', of: percentDecoded },
  { name: 'value in a URL', of: valuesInUrls },
  { name: 'base64 decoded', of: base64Decoded },
  { name: 'escapes read', of: unescaped },
  { name: 'text of JSON', of: textsOfJson },
  { name: 'value of a line', of: assigned },
  {
    name: 'plus signs read as spaces',
    of: (text) => (text.includes('+') ? [text.replaceAll('+', ' ')] : []),
  },
  {
    name: 'header taken off',
    of: (text) => [
      ...(/^(?:authorization:\s*)?(?:bearer|basic|token)\s+(\S+)\s*$/i.exec(text)?.slice(1) ?? []),
    ],
  },
  { name: 'password of a login', of: loginPassword },
  { name: 'a line', of: (text) => (text.includes('\n') ? text.split(/\r?\n/, mostCandidates) : []) },
];

/**
 * Finds the values that a text may hold. What somebody found is in a manifest, a URL, a log line, and seldom as it is stored.
 * The text itself comes first, then what is nearest to it, and all are different.
 *
 * @param most - values that are returned; the farthest are left out
 * @example
 * candidatesIn('postgresql://app:p%40ss-word@db/orders').map(({ form }) => form);
 * // ['as given', 'percent decoded', 'value in a URL', 'value in a URL, percent decoded', …]
 */
export function candidatesIn(text: string, most = mostCandidates): readonly Candidate[] {
  const found = new Map<string, string>([[text, 'as given']]);
  let frontier: readonly Candidate[] = [{ value: text, form: '' }];
  for (let depth = 0; depth < deepest && found.size < most; depth += 1) {
    const next: Candidate[] = [];
    for (const { value, form } of frontier) {
      for (const { name, of } of readings) {
        for (const read of of(value)) {
          if (read === '' || found.has(read) || found.size >= most) continue;
          const steps = form === '' ? name : `${form}, ${name}`;
          found.set(read, steps);
          next.push({ value: read, form: steps });
        }
      }
    }
    frontier = next;
  }
  return [...found].map(([value, form]) => ({ value, form }));
}
