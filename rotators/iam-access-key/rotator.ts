import { TargetError } from '../../core/errors/rekey-error.ts';
import type { IssuingRotator } from '../../core/rotator.ts';
import { apply } from './apply.ts';
import { Aws, type IamAccessKeyOptions } from './aws.ts';
import { check } from './check.ts';
import { contain, oneAtATime } from './contain.ts';
import { descriptor } from './descriptor.ts';
import { discard, propose } from './issue.ts';
import { probe } from './probe.ts';
import { retire } from './retire.ts';
import { type IamAccessKeySecret, iamAccessKeySchema, keyOf } from './schema.ts';

/**
 * Makes the rotator for access keys of IAM users.
 *
 * @example
 * createIamAccessKey({ aws: { endpoint: 'https://127.0.0.1:4566', region: 'us-east-1' } });
 */
export function createIamAccessKey(options: IamAccessKeyOptions = {}): IssuingRotator<IamAccessKeySecret> {
  const aws = new Aws(options);
  const serially = oneAtATime();
  const { cutoff = noCutoff } = options;
  return {
    type: 'iam-access-key',
    kind: 'issuing',
    strategies: descriptor.strategies,
    schema: iamAccessKeySchema,
    identity: ({ username, accessKeyId }) => accessKeyId ?? username,
    // The first key takes the place of the password that a created secret begins with.
    credentialKeys: (secret) => [
      'accessKeyId',
      'secretAccessKey',
      ...(keyOf(secret) === undefined ? ['password'] : []),
    ],
    boundTo: ({ username }) => ({ username }),
    check,
    propose: (current, context) => propose(aws, current, context),
    discard: (proposal, context) => discard(aws, proposal, context),
    apply: (next, context) => apply(aws, next, context),
    probe: (credential, context) => probe(aws, credential, context),
    retire: (old, context) => retire(aws, old, context),
    contain: (leaked, context) => contain(aws, { serially, cutoff }, leaked, context),
  };
}

async function noCutoff({ username }: { readonly username: string }): Promise<never> {
  throw new TargetError(
    'TargetRefused',
    `IAM user "${username}": its sessions go on, since this function knows of none that ends them (REKEY_SESSION_CUTOFF_FUNCTION is not set); deploy the rotation stack again`,
  );
}

/** Rotator for access keys of IAM users, by the function's own role. See `docs/secret-types/iam-access-key.md`. */
export const rotator: IssuingRotator<IamAccessKeySecret> = createIamAccessKey();
