import type { ErrorCode } from '../errors/codes.ts';
import type { Policy } from '../iam/document.ts';
import type {
  EncryptionKey,
  KnownDefinition,
  KnownPrincipal,
  KnownSecret,
  OpenRevocation,
  Trial,
  ValueShape,
} from './ports.ts';
import type { SecretReference } from './reference.ts';

/** The reason why something is not known. */
export interface Gap {
  readonly code: ErrorCode | 'NotAsked';
  /** Action that the caller lacks, as IAM names it: `kms:GetKeyPolicy`. */
  readonly permission?: string;
  readonly message: string;
}

/** An answer, or why there is none. */
export type Answer<T> =
  | { readonly known: true; readonly value: T }
  | { readonly known: false; readonly gap: Gap };

/** Makes an answer. */
export const answered = <T>(value: T): Answer<T> => ({ known: true, value });
/** Makes the absence of an answer. */
export const unanswered = (gap: Gap): Answer<never> => ({ known: false, gap });
/** Gives the value of an answer; undefined where there is none. */
export const valueIn = <T>(answer: Answer<T> | undefined): T | undefined =>
  answer?.known === true ? answer.value : undefined;

/** The role that reads, and what the account says of it. */
export interface ReaderFacts {
  /** ARN of the role. */
  readonly arn: string;
  /** Role as it is; undefined where there is none. */
  readonly role: Answer<KnownPrincipal | undefined>;
  /** Stand-in for a role of another account, to see what this side refuses. */
  readonly foreign?: KnownPrincipal;
}

/** The facts that are known of one reference. What was not asked is absent. */
export interface ReferenceFacts {
  readonly reference: SecretReference;
  /** Region in which the secret was looked for. */
  readonly region: string;
  /** Account that the check runs in; undefined without AWS. */
  readonly account?: string;
  /** Environment that the deploy is for. */
  readonly environment?: string;
  /** Names that count as environments in names and tags of secrets. */
  readonly environments: ReadonlySet<string>;
  readonly now: Date;
  readonly secret: Answer<KnownSecret | undefined>;
  /** Names of the secrets that are there. Asked where the one that is named is not. */
  readonly names?: Answer<readonly string[]>;
  readonly definition?: Answer<KnownDefinition | undefined>;
  readonly revocation?: Answer<OpenRevocation | undefined>;
  /** Shape of the value. Asked where the reference names a key. */
  readonly shape?: Answer<ValueShape>;
  readonly reader?: ReaderFacts;
  readonly policy?: Answer<Policy | undefined>;
  /** KMS key. Absent for a secret under the account's own key of Secrets Manager. */
  readonly key?: Answer<EncryptionKey | undefined>;
  readonly principals?: Answer<readonly KnownPrincipal[]>;
  readonly trial?: Answer<Trial>;
}

/** Gives the secret, where it is there and lives. The other checks leave one that does not to those that are about that. */
export function livingSecret({ secret }: ReferenceFacts): KnownSecret | undefined {
  const known = valueIn(secret);
  return known?.deleted === undefined ? known : undefined;
}
