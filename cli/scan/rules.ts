import { lintSource } from '@secretlint/core';
import { secretLintProfiler } from '@secretlint/profiler';
import { rules as presetRules } from '@secretlint/secretlint-rule-preset-recommend';
import type { SecretLintCoreConfigRule } from '@secretlint/types';
import { isGuessable } from '../../core/fingerprint/guessable.ts';
import { kindOf, ownRule, type SecretKind } from '../../core/scan/kinds.ts';
import { ownSecretlintRule } from './own-rules.ts';

/** A secret in a text, with its value, which goes no further than to be hashed. */
export interface Hit {
  readonly kind: SecretKind;
  readonly value: string;
  /** Place of the value's first character in the text. */
  readonly start: number;
}

// It keeps a mark of every rule and every file, for good.
secretLintProfiler.setEnabled(false);

const longName = '@secretlint/secretlint-rule-';
/** Name of the rule that obeys comments in what is scanned. An artifact does not decide what is reported of it. */
const obeysComments = 'filter-comments';

const shortName = (id: string): string => (id.startsWith(longName) ? id.slice(longName.length) : id);

const configured = new Map(
  [...presetRules, ownSecretlintRule]
    .map((rule) => [shortName(rule.meta.id), rule] as const)
    .filter(([name]) => name !== obeysComments)
    .map(([name, rule]): [string, SecretLintCoreConfigRule] => [
      name,
      {
        id: rule.meta.id,
        rule,
        ...(name === 'aws' && { options: { enableIDScanRule: true }, allowMessageIds: ['AWSAccountID'] }),
      },
    ]),
);

/**
 * Strings one of which stands in whatever a rule finds, as regular expressions. They are looked for in one pass, and only the rules
 * whose string is there are run: five times as fast. A test runs every rule on its own as well, and finds the same.
 */
export const anchors: Readonly<Record<string, readonly string[]>> = {
  aws: [
    'AKIA',
    'ASIA',
    'A3T(?=[A-Z0-9]{17})',
    '(?:SECRET|secret|Secret)_?(?=(?:ACCESS|access|Access)_?(?:KEY|key|Key))',
  ],
  gcp: ['private_key_id'],
  npm: ['x-oauth-basic', '_authToken=', 'npm_(?=[A-Za-z0-9_]{36})'],
  slack: ['xox[abopr]-', 'xapp-', '[hH][oO][oO][kK][sS]\\.[sS][lL][aA][cC][kK]'],
  basicauth: ['(?:https?|ftps?):\\/\\/(?=[-a-zA-Z0-9_]{1,256}:[^/])'],
  openai: ['sk-(?=[a-zA-Z0-9-]{15})'],
  groq: ['gsk_'],
  huggingface: ['hf_(?=[a-zA-Z]{34})'],
  linear: ['lin_api_'],
  notion: ['ntn_'],
  privatekey: ['PRIVATE KEY'],
  sendgrid: ['SG\\.(?=\\w)'],
  shopify: ['shp(?:pa|ca|at|ss)_'],
  stripe: ['[sr]k_(?:live|test)_'],
  github: ['gh[pousr]_', 'github_pat_'],
  gitlab: ['glpat-'],
  grafana: ['glc_', 'glsa_'],
  '1password': ['ops_ey'],
  'database-connection-string': [
    '[mM][oO][nN][gG][oO][dD][bB](?:\\+[sS][rR][vV])?:\\/\\/',
    '[mM][yY][sS][qQ][lL][xX]?:\\/\\/',
    '[pP][oO][sS][tT][gG][rR][eE][sS](?:[qQ][lL])?:\\/\\/',
  ],
  'hashicorp-vault': ['hv[sbr]\\.'],
  vercel: ['vc[pciark]_(?=[A-Za-z0-9]{20})'],
  databricks: ['dapi(?=[A-Fa-f0-9]{32})'],
  docker: ['dckr_pat_'],
  figma: ['figd_'],
  cloudflare: ['cf(?:k|ut|at)_'],
  tailscale: ['tskey-'],
  [ownRule]: [
    '"(?:engine|masterarn|dbname|dbInstanceIdentifier|dbClusterIdentifier)\\\\?"',
    '(?:rediss?|valkeys?|amqps?):\\/\\/',
    'PGP (?=PRIVATE)',
    'PuTTY-User',
    'AGE-SECRET-KEY',
    'pypi-AgEI',
    'rubygems_',
    'GOCSPX-',
    'do[opr]_v1_',
    'ATATT3',
    'AccountKey=',
    'NRAK-',
    'whsec_',
    ':AA(?=[A-Za-z0-9_-]{33})',
  ],
};

/** Rules that the string of another one announces, too. */
const announcedWith: Readonly<Record<string, readonly string[]>> = { openai: ['anthropic'] };

/** Every rule that is run, by its short name. */
export const ruleNames: readonly string[] = [...configured.keys()];

const names = ruleNames.filter((name) => anchors[name] !== undefined);
const announced = new Set([...names, ...Object.values(announcedWith).flat()]);
/** Rules that are run on everything, for want of a string. The preset that is installed has none. */
export const unannounced: readonly string[] = ruleNames.filter((name) => !announced.has(name));
/** Tells whether any rule is announced; twice as fast as to tell which. */
const anyAnnounced = new RegExp(names.flatMap((name) => anchors[name] ?? []).join('|'));
const announcing = new RegExp(names.map((name) => `(${anchors[name]?.join('|')})`).join('|'), 'g');

/** Finds the rules that have something to look for in a text. */
function rulesFor(text: string): readonly string[] {
  if (!anyAnnounced.test(text)) return unannounced;
  const found = new Set(unannounced);
  for (const match of text.matchAll(announcing)) {
    const group = match.findIndex((one, index) => index > 0 && one !== undefined);
    const name = names[group - 1] ?? '';
    if (found.has(name)) continue;
    found.add(name);
    for (const other of announcedWith[name] ?? []) found.add(other);
  }
  return [...found];
}

/**
 * Finds the secrets in a text.
 * @param name - name of the file, by which rules know `.npmrc` and the like
 * @param only - rules to run. @default - those whose strings are in the text
 */
export async function secretsIn(
  text: string,
  name: string,
  only?: readonly string[],
): Promise<readonly Hit[]> {
  const rules = (only ?? rulesFor(text)).flatMap((rule) => configured.get(rule) ?? []);
  if (rules.length === 0) return [];
  const { messages } = await lintSource({
    source: { content: text, filePath: name, ext: /\.[^.]*$/.exec(name)?.[0] ?? '', contentType: 'text' },
    options: { config: { rules }, noPhysicFilePath: true },
  });
  // The library takes a byte order mark off before it counts.
  const shift = text.startsWith('\ufeff') ? 1 : 0;
  return messages.flatMap(({ ruleId, messageId, range: [start, end], data }) => {
    const kind = kindOf(shortName(ruleId), messageId);
    const value = namedValue(data) ?? text.slice(start + shift, end + shift);
    if (messageId === 'AWSAccessKeyID' && !/^A(?:KI|SI)A|^A3T/.test(value)) return [];
    if (messageId === 'PrivateKeyJSON') return [wholeKey(text, kind)];
    const at = text.indexOf(value, start + shift);
    return [{ kind: weighed(kind, value), value, start: at === -1 ? start + shift : at }];
  });
}

/** Rules that find a password in a URL, of which documents show many that are made up. */
const inUrls = new Set(['DatabasePasswordInUrl', 'PasswordInUrl']);

/** Makes a warning of a password that anybody would guess: it is an example, or keeps nobody out. */
function weighed(kind: SecretKind, value: string): SecretKind {
  if (!inUrls.has(kind.rule)) return kind;
  const password = /\/\/[^:/\s]*:(.*)@/.exec(value)?.[1] ?? value;
  const isExample = isGuessable(
    password.replaceAll(/%[0-9a-f]{2}/gi, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16))),
  );
  return isExample ? { ...kind, severity: 'warning', kind: `${kind.kind}, which anybody would guess` } : kind;
}

/** Takes the key out of a file that a rule reports as a whole. */
function wholeKey(text: string, kind: SecretKind): Hit {
  const at = /"private_key"\s*:\s*"/.exec(text);
  const start = at === null ? 0 : at.index + at[0].length;
  return { kind, value: text.slice(start, text.indexOf('"', start)), start };
}

/** Reads the value that a message names; it has a name of its own in each rule. */
function namedValue(data: object | undefined): string | undefined {
  const {
    VALUE,
    KEY,
    TOKEN,
    ID,
    URL: url,
    CREDENTIAL,
    URI,
  } = (data ?? {}) as Readonly<Record<string, unknown>>;
  const value = VALUE ?? KEY ?? TOKEN ?? ID ?? url ?? CREDENTIAL ?? URI;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
