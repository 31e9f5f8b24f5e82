import { RekeyError } from '../errors/rekey-error.ts';

/** The caller of AWS, as STS names it. */
export interface CallerIdentity {
  readonly account: string;
  /** ARN of an IAM user, or of a role's session. */
  readonly arn: string;
}

/** A person who was proven to be a caller of AWS. */
export interface Person {
  readonly arn: string;
  readonly account: string;
  /** Name of the IAM user, or of the role's session, which Identity Center sets to its user name. */
  readonly name: string;
  /** Name of the role whose session it is; missing for an IAM user. */
  readonly role?: string | undefined;
}

/**
 * Names of sessions that a tool or a machine made up. Two sessions of one person have two of them, so they tell nobody apart.
 * @see https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-role.html#cli-role-overview
 */
const madeUp = /^(?:aws-(?:sdk|go)-[\w-]+|aws-?cli-session.*|botocore-session-\d+|i-[0-9a-f]{8,17}|\d+)$/i;

/**
 * Makes a person of what STS answered.
 * @throws RekeyError `PersonUnnamed` for the account's root, and for a session whose name says nothing of a person
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
 */
export function personOf({ arn, account }: CallerIdentity): Person {
  const resource = arn.split(':').slice(5).join(':');
  const [kind, ...path] = resource.split('/');
  const name = path.at(-1) ?? '';
  const role = kind === 'assumed-role' ? path[0] : undefined;
  const known =
    (kind === 'assumed-role' && path.length === 2 && !madeUp.test(name)) ||
    (kind === 'user' && path.length > 0);
  if (!known || name === '') {
    throw new RekeyError(
      'PersonUnnamed',
      `${arn} names no person: sign in as an IAM user, or as a role whose session has your name (role_session_name in the AWS configuration; Identity Center sets it)`,
    );
  }
  return { arn, account, name, ...(role !== undefined && { role }) };
}

/**
 * Gives the part of a name that says who somebody is. Names and addresses of one person differ in what stands behind `@` or `+`, and
 * in capital letters, which Identity Center does not tell from small ones.
 * @see https://docs.aws.amazon.com/singlesignon/latest/userguide/users-groups-provisioning.html
 */
export const personKey = (name: string): string => name.toLowerCase().replace(/(?!^)[@+].*$/, '');

/**
 * Tells whether two callers may be one person. Who might be the same counts as the same: `ada` and `Ada@example.com` are one person,
 * whatever their roles and accounts are.
 */
export const samePerson = (one: Pick<Person, 'arn' | 'name'>, other: Pick<Person, 'arn' | 'name'>): boolean =>
  one.arn === other.arn || personKey(one.name) === personKey(other.name);
