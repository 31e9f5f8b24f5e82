import { createHash } from 'node:crypto';
import { hashOf } from '../fingerprint/digest.ts';
import { evidenceOf, linkOf, type Signal, type SignalKind } from './signal.ts';

/** A value that somebody found, as it came in a message. It lives as long as it takes to hash it. */
interface FoundValue {
  readonly token: string;
  readonly type: string;
  readonly place?: string | null | undefined;
}

/**
 * Makes signals of values that were found, one for each type and place. The values are hashed at once; a text that quotes one
 * is left out, and ids are made of types and places alone.
 */
export function signalsOfValues(
  kind: SignalKind,
  found: readonly FoundValue[],
  now: Date,
): readonly Signal[] {
  const quotes = (text: string): boolean =>
    found.some(({ token }) => text.includes(token) || decoded(text).includes(token));
  const places = new Map<
    string,
    { readonly type: string; readonly url?: string; readonly hashes: string[] }
  >();
  for (const { token, type, place } of found) {
    const url = quotes(place ?? '') ? undefined : linkOf(place);
    const named = quotes(type) ? 'unnamed' : type;
    const key = `${named} ${url ?? ''}`;
    const known = places.get(key) ?? { type: named, ...(url !== undefined && { url }), hashes: [] };
    known.hashes.push(hashOf(token));
    places.set(key, known);
  }
  return [...places].map(([key, { type, url, hashes }]) => ({
    kind,
    id: createHash('sha256').update(key).digest('hex').slice(0, 32),
    time: now.toISOString(),
    severity: 'critical',
    subjects: [...new Set(hashes)].map((fingerprint) => ({ fingerprint })),
    ...(url !== undefined && { url }),
    evidence: evidenceOf(type, url),
  }));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
