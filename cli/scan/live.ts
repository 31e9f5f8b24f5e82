import { candidatesIn } from '../../core/fingerprint/candidates.ts';
import { hashOf } from '../../core/fingerprint/digest.ts';
import { isGuessable } from '../../core/fingerprint/guessable.ts';
import type { SecretFound } from '../../core/scan/finding.ts';
import { liveSecret, type SecretKind } from '../../core/scan/kinds.ts';
import { isFilledIn } from '../../core/scan/stand-in.ts';
import type { Hit } from './rules.ts';

/** Hashes that one scan asks about. An environment looks up more within a minute, so that others get their turn. */
const mostAsked = 500;
/** Hashes that are remembered until it is known which of them are asked about. */
const mostRemembered = 20_000;
/** Places of one value that are named. */
const mostPlaces = 100;
/** Forms that are tried of one value, such as the password in a connection string. */
const mostForms = 8;

const assignedKind: SecretKind = { rule: liveSecret, kind: 'value of a secret', severity: 'error' };

/**
 * Values behind names such as `password`. They are no findings by themselves, since most of them are none; the environment is asked
 * whether a secret has them.
 */
const assignment =
  /(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|credential|auth)[\w.-]{0,40}\\?["']?\s{0,8}(?:=>(?=[\s"'\\])|[:=])\s{0,8}(?:\\?"([^"\\\n]{12,200})\\?"|'([^'\n]{12,200})'|([^\s"'\\]{12,200}))/gi;

const isRandom = (value: string): boolean =>
  /\d/.test(value) &&
  /[A-Za-z]/.test(value) &&
  new Set(value).size >= 8 &&
  !/:\/\/|\s/.test(value) &&
  !isFilledIn(value);

/** Characters that code has without quotes around it, and a password has as well. */
const ofCode = /[`(){}[\]<>;,$]/;

/**
 * Tells whether a line is nothing but a name and its value, as in a file of variables. What stands without quotes elsewhere is code
 * where it has the characters of code.
 */
function isLine(text: string, start: number, end: number): boolean {
  const before = text.slice(Math.max(0, start - 100), start);
  return (
    /(?:^|\n)[ \t]*(?:export[ \t]+|set[ \t]+|-[ \t]+)?[\w.-]*$/.test(before) &&
    /^[ \t]*(?:\r?\n|$)/.test(text.slice(end, end + 20))
  );
}

/** Finds values that are assigned to names of secrets. */
export function assignedIn(text: string): readonly Hit[] {
  return [...text.matchAll(assignment)].flatMap((match) => {
    const value = match[1] ?? match[2] ?? match[3] ?? '';
    if (!isRandom(value) || isGuessable(value)) return [];
    const end = match.index + match[0].length;
    if (match[3] !== undefined && ofCode.test(value) && !isLine(text, match.index, end)) return [];
    return [{ kind: assignedKind, value, start: match.index + match[0].lastIndexOf(value) }];
  });
}

/** A hash to ask about, and the findings that it is of. */
interface AskedHash {
  readonly hash: string;
  readonly findings: readonly SecretFound[];
  /** True if it is a finding whatever the answer is. */
  readonly isFound: boolean;
}

/** The values that an environment is asked about, as hashes. The values themselves are forgotten when they have been hashed. */
export class LiveCandidates {
  readonly #found = new Map<string, SecretFound[]>();
  readonly #assigned = new Map<string, SecretFound[]>();
  #left = 0;

  /** Notes the value of a finding, in the forms in which a secret may hold it. */
  takeFound(value: string, finding: SecretFound): void {
    for (const candidate of candidatesIn(value, mostForms)) {
      if (!isGuessable(candidate.value)) this.#note(this.#found, candidate.value, finding);
    }
  }

  /** Notes a value that is a finding only if a secret has it. */
  takeAssigned(value: string, finding: SecretFound): void {
    this.#note(this.#assigned, value, finding);
  }

  #note(map: Map<string, SecretFound[]>, value: string, finding: SecretFound): void {
    const hash = hashOf(value);
    const known = map.get(hash);
    if (known !== undefined) {
      if (known.length < mostPlaces) known.push(finding);
    } else if (map.size < mostRemembered) map.set(hash, [finding]);
    else this.#left += 1;
  }

  /** Gives the hashes to ask about, those of findings first, and the number of those that are left out. */
  asked(): { readonly hashes: readonly AskedHash[]; readonly leftOut: number } {
    const all: AskedHash[] = [
      ...[...this.#found].map(([hash, findings]) => ({ hash, findings, isFound: true })),
      ...[...this.#assigned]
        .filter(([hash]) => !this.#found.has(hash))
        .map(([hash, findings]) => ({ hash, findings, isFound: false })),
    ];
    return { hashes: all.slice(0, mostAsked), leftOut: this.#left + Math.max(0, all.length - mostAsked) };
  }
}
