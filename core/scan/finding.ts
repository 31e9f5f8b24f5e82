import { plain } from '../notification/text.ts';
import type { Severity } from '../policy/rule.ts';
import type { SecretKind } from './kinds.ts';

/** The place of something in what is shipped. */
export interface Place {
  /** Steps from the path that was given to the innermost file: archives, layers, files. */
  readonly path: readonly string[];
  /** Line from 1, in a text. */
  readonly line?: number;
  /** Column from 1, in UTF-16 code units, in a text. */
  readonly column?: number;
  /** Bytes before it, in what is no text. */
  readonly offset?: number;
}

/** A secret of the environment that has, or had, the value that was found. */
export interface LiveMatch {
  readonly secretArn: string;
  readonly secretName: string;
  readonly versionId: string;
  readonly owner: string;
  readonly alive: 'yes' | 'perhaps' | 'no';
}

/** A string that looks like a secret. It holds nothing of the value but a beginning that its issuer publishes. */
export interface SecretFound {
  readonly rule: string;
  readonly kind: string;
  readonly severity: Severity;
  readonly place: Place;
  /** Text in the place of the value: its public beginning and its length. */
  readonly excerpt: string;
  /** Remark on the place, such as a later layer that deletes the file. */
  readonly remark?: string;
  /** Secrets that have the value, where the environment was asked. */
  readonly live?: readonly LiveMatch[];
}

/** A thing that could not be read, and why. A scan with one is not clean. */
export interface NotLookedInto {
  readonly path: readonly string[];
  readonly reason: string;
}

/** Writes what may be shown of a value. */
export function excerptOf(value: string, { prefixes = [] }: Pick<SecretKind, 'prefixes'>): string {
  const [shown = ''] = prefixes
    .filter((prefix) => value.startsWith(prefix) && value.length > prefix.length + 8)
    .toSorted((one, other) => other.length - one.length);
  return `${shown}… (${value.length} characters)`;
}

const longestStep = 300;

/** Writes a path with its steps, without characters that a terminal obeys. */
export const pathText = (path: readonly string[]): string =>
  path.map((step) => plain(step, longestStep)).join(' → ');

/** Names a place without its line, by which waivers know it. The artifact itself is left out, since its name changes. */
export const subjectOf = (path: readonly string[]): string =>
  pathText(path.length > 1 ? path.slice(1) : path);
