import { adminChanges, type SecretTypeDescriptor } from '../descriptor.ts';
import { iamAccessKeySchema } from './schema.ts';

/** Describes the secret type `iam-access-key` to the configuration, the constructs, the documentation and the suite. */
export const descriptor = {
  title: 'IAM access keys',
  needsInternet: { for: 'the API of IAM, which has no endpoint in a VPC' },
  strategies: ['dual-credential'],
  needsAdmin: [],
  database: false,
  verifiedOn: ['MiniStack 1.5 (emulator)'],
  issued: true,
  credential: ['accessKeyId', 'secretAccessKey'],
  aws: {
    resources: {
      pattern: /^arn:aws[a-z-]*:iam::\d{12}:user\/[\w+=,.@/-]+$/,
      example: 'arn:aws:iam::111122223333:user/orders',
    },
    rotation: [
      'iam:ListAccessKeys',
      'iam:CreateAccessKey',
      'iam:UpdateAccessKey',
      'iam:DeleteAccessKey',
      'iam:GetAccessKeyLastUsed',
      'iam:ListUserTags',
    ],
    tags: { actions: ['iam:TagUser', 'iam:UntagUser'], keys: 'rekey:issuing:*' },
    containment: ['iam:ListAccessKeys', 'iam:UpdateAccessKey'],
    sessionCutoff: ['iam:GetUserPolicy', 'iam:PutUserPolicy'],
  },
  created: {
    schema: iamAccessKeySchema,
    changes: {
      username: 'moves',
      accessKeyId: 'refused',
      secretAccessKey: 'refused',
      ...adminChanges,
    },
  },
} as const satisfies SecretTypeDescriptor;
