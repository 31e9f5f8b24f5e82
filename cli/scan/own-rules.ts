import type { SecretLintRuleCreator } from '@secretlint/types';
import { isGuessable } from '../../core/fingerprint/guessable.ts';
import { type OwnKind, ownRule } from '../../core/scan/kinds.ts';
import { isFilledIn } from '../../core/scan/stand-in.ts';

/** A pattern of a kind. Its first group is the value, or else the whole match. */
interface OwnPattern {
  readonly kind: OwnKind;
  readonly pattern: RegExp;
  /** Tells whether a value may be real, and no example. */
  readonly isReal?: (value: string) => boolean;
}

/** Words of what stands for a value in examples. */
const example = /\*{3}|x{4}|\.{3}|example|placeholder|redacted|password|changeme/i;

const isSecret = (value: string): boolean =>
  !isFilledIn(value) && !example.test(value) && !isGuessable(value);

/** Tells whether a text is of many different characters, as a random one is. */
const isVaried = (value: string): boolean => new Set(value).size >= 12;

/**
 * Every pattern of Rekey's own rule. Each has bounds on its repetitions, so that no text makes it slow.
 * Forms are those that the issuers publish, as gitleaks and GitHub list them.
 * @see https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml
 * @see https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns
 */
const patterns: readonly OwnPattern[] = [
  {
    kind: 'SecretValue',
    pattern:
      /\\?"(?:engine|masterarn|dbname|dbInstanceIdentifier|dbClusterIdentifier)\\?"\s{0,20}:[^{}]{1,600}?\\?"password\\?"\s{0,20}:\s{0,20}\\?"([^"\\\n]{8,200})\\?"/g,
    isReal: isSecret,
  },
  {
    kind: 'RedisConnection',
    pattern:
      /\b(?:rediss?|valkeys?|amqps?):\/\/[^:/\s"'@]{0,100}:([^@/\s"']{4,200})@[A-Za-z0-9][A-Za-z0-9.-]{0,200}/g,
    isReal: isSecret,
  },
  {
    kind: 'PgpPrivateKey',
    pattern:
      /-----BEGIN PGP PRIVATE KEY BLOCK-----(?:\r?\n|\\n)(?:[A-Za-z0-9+/=\s\\:.,()@<>]|-(?!----)){200,16000}-----END PGP PRIVATE KEY BLOCK-----/g,
  },
  {
    kind: 'PuttyPrivateKey',
    pattern:
      /PuTTY-User-Key-File-[23]: [a-z0-9-]{3,40}\r?\nEncryption: none\r?\n[\s\S]{1,8000}?Private-MAC: [0-9a-f]{40,64}/g,
  },
  { kind: 'AgeKey', pattern: /\bAGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}\b/g, isReal: isVaried },
  { kind: 'PyPiToken', pattern: /\bpypi-AgEI[A-Za-z0-9_-]{50,400}/g, isReal: isVaried },
  { kind: 'RubyGemsKey', pattern: /\brubygems_[0-9a-f]{48}\b/g },
  { kind: 'GoogleClientSecret', pattern: /\bGOCSPX-[A-Za-z0-9_-]{28}(?![A-Za-z0-9_-])/g, isReal: isVaried },
  { kind: 'DigitalOceanToken', pattern: /\bdo[opr]_v1_[0-9a-f]{64}\b/g },
  { kind: 'AtlassianToken', pattern: /\bATATT3[A-Za-z0-9_=-]{150,220}/g, isReal: isVaried },
  {
    kind: 'AzureStorageKey',
    pattern: /\bAccountKey=([A-Za-z0-9+/]{86}==)/g,
    // The key of the storage emulator is the same for everybody.
    isReal: (value) =>
      isVaried(value) && !value.startsWith('Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsu'),
  },
  { kind: 'NewRelicKey', pattern: /\bNRAK-[A-Z0-9]{27}\b/g, isReal: isVaried },
  { kind: 'WebhookSecret', pattern: /\bwhsec_[A-Za-z0-9+/]{32,90}={0,2}/g, isReal: isVaried },
  { kind: 'TelegramToken', pattern: /\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])/g, isReal: isVaried },
];

/** Rekey's own rule for secretlint: kinds that its preset leaves out, as secrets of Secrets Manager are one. */
export const ownSecretlintRule: SecretLintRuleCreator = {
  meta: {
    id: `@secretlint/secretlint-rule-${ownRule}`,
    recommended: true,
    type: 'scanner',
    supportedContentTypes: ['text'],
  },
  messages: {},
  create(context) {
    return {
      file(source) {
        for (const { kind, pattern, isReal } of patterns) {
          for (const match of source.content.matchAll(pattern)) {
            const value = match[1] ?? match[0];
            if (isReal?.(value) === false) continue;
            const start = match.index + match[0].indexOf(value);
            context.report({
              message: { message: kind, messageId: kind, data: { VALUE: value } },
              range: [start, start + value.length],
            });
          }
        }
      },
    };
  },
};
