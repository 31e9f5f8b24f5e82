import { RekeyError } from '../../core/errors.ts';
import type { PasswordPolicy } from '../../core/password.ts';
import { type Family, familyOfSecret, type MasterSecret } from './schema.ts';

/** What a service takes as a master password. */
export interface PasswordRules {
  /** Whose rules they are, for messages. */
  readonly of: string;
  /** In characters, which are all of one byte. */
  readonly longest: number;
  readonly forbidden: string;
  /** At least one of each. */
  readonly needs: readonly Need[];
}

interface Need {
  readonly name: string;
  readonly characters: string;
}

const needs: readonly Need[] = [
  { name: 'an uppercase letter', characters: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' },
  { name: 'a lowercase letter', characters: 'abcdefghijklmnopqrstuvwxyz' },
  { name: 'a digit', characters: '0123456789' },
];

const longestOfInstance: Readonly<Record<Family, number>> = {
  ...{ mysql: 41, mariadb: 41, postgresql: 128, oracle: 30, sqlserver: 128, db2: 255 },
  ...{ documentdb: 100, redshift: 64 },
};
const longestOfCluster = 41;

/**
 * The rules for the master password of a secret's database. Aurora and Multi-AZ clusters take less than instances do;
 * where the secret does not say which of both its database is, what both take.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html
 * @see https://docs.aws.amazon.com/documentdb/latest/developerguide/API_ModifyDBCluster.html
 * @see https://docs.aws.amazon.com/redshift/latest/APIReference/API_ModifyCluster.html
 */
export function rulesOf(secret: MasterSecret): PasswordRules {
  const family = familyOfSecret(secret);
  if (family === 'redshift') {
    return { of: 'Redshift', longest: longestOfInstance.redshift, forbidden: `/"@ '\\`, needs };
  }
  if (family === 'documentdb') {
    return { of: 'DocumentDB', longest: longestOfInstance.documentdb, forbidden: '/"@ ', needs: [] };
  }
  const { engine, dbInstanceIdentifier, dbClusterIdentifier } = secret;
  const surelyInstance =
    Boolean(dbInstanceIdentifier) && !dbClusterIdentifier && !engine.startsWith('aurora');
  const clustered = !surelyInstance && (family === 'postgresql' || family === 'mysql');
  return {
    of: clustered ? 'an RDS cluster' : `RDS for ${family}`,
    longest: clustered ? longestOfCluster : longestOfInstance[family],
    forbidden: family === 'oracle' ? `/"@ &'` : '/"@ ',
    needs: [],
  };
}

const isPrintable = (character: string) => character > ' ' && character < '\x7f';

/** Why the service would not take the password; undefined when it would. Its length is looked at elsewhere. */
export function characterFault(
  password: string,
  { of, forbidden, needs }: PasswordRules,
): string | undefined {
  const taken = [...password].every((character) => isPrintable(character) && !forbidden.includes(character));
  if (!taken)
    return `${of} takes printable ASCII characters except ${[...forbidden].join(' ').trim()} and the space`;
  const missing = needs.find(({ characters }) => ![...characters].some((one) => password.includes(one)));
  return missing && `${of} wants at least ${missing.name}`;
}

/**
 * The policy with what the service does not take left out: every password that it yields is one that the service takes.
 * @throws RekeyError `PasswordPolicyInvalid` when there is none
 */
export function narrow(
  policy: PasswordPolicy,
  { of, longest, forbidden, needs }: PasswordRules,
): PasswordPolicy {
  const keep = (text: string, also: (character: string) => boolean = () => true) =>
    [...text].filter((one) => isPrintable(one) && !forbidden.includes(one) && also(one)).join('');
  const needed = needs.map(({ name, characters }) => {
    const left = keep(policy.alphabets.join(''), (one) => characters.includes(one));
    if (left === '') throw unusable(`${of} wants at least ${name}, which they exclude`);
    return left;
  });
  const covered = needs.map(({ characters }) => characters).join('');
  const rest = policy.alphabets.map((text) => keep(text, (one) => !covered.includes(one)));
  const alphabets = [...needed, ...rest].filter((text) => text !== '');
  if (alphabets.length === 0) throw unusable(`they leave nothing but characters that ${of} does not take`);
  return { length: Math.min(policy.length, longest), alphabets, requireEach: true };
}

const unusable = (why: string) =>
  new RekeyError(
    'PasswordPolicyInvalid',
    `the password rules cannot be met: ${why}; change PASSWORD_LENGTH, EXCLUDE_CHARACTERS or the other rules of this secret`,
  );
