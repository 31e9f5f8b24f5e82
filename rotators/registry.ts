import { longestStepSeconds, usualStepSeconds } from '../core/deployed/limits.ts';
import type { Credentials, Revoker } from '../core/rotator.ts';
import type { Strategy } from '../core/secret/secret.ts';

/** Permissions for targets that are reached through an AWS API. */
export interface AwsAccess {
  /** Form of the ARNs that a secret's `resources` names, and one to show in errors. */
  readonly resources: { readonly pattern: RegExp; readonly example: string };
  /** Actions of the rotation and of the containment function, on those resources. */
  readonly rotation: readonly string[];
  readonly containment: readonly string[];
  /**
   * Actions on those resources that could grant permissions. A function of its own holds them, which ends sessions and does
   * nothing else: it reads no secret, logs in nowhere, and takes no document from whoever calls it.
   */
  readonly sessionCutoff?: readonly string[];
  /** Actions of the rotation function that set or remove tags of those resources, and the only keys that they may touch. */
  readonly tags?: { readonly actions: readonly string[]; readonly keys: string };
  /** Actions of both functions that IAM knows no resource for, and why they are harmless. */
  readonly anyResource?: { readonly actions: readonly string[]; readonly reason: string };
}

/** The APIs of AWS that types call beyond those that every function calls. */
export type AwsApi = 'rds' | 'redshift' | 'elasticache';

/** One secret type: what the configuration, the documentation and the conformance suite need without its driver. */
export interface SecretTypeEntry {
  readonly title: string;
  readonly strategies: readonly Strategy[];
  /** Strategies that cannot work without an admin secret. */
  readonly needsAdmin: readonly Strategy[];
  /** True when Amazon RDS may run the target; its functions may then look up hosts through the RDS API. */
  readonly database: boolean;
  /** Products that the conformance suite runs on; none where nobody can start one outside of AWS. */
  readonly verifiedOn: readonly string[];
  /** What its functions may do through AWS APIs, where the target is one. */
  readonly aws?: AwsAccess;
  /** APIs that its functions call; of a type with `resources`, those that the resources are of. */
  readonly apis?: readonly AwsApi[];
  /** What its functions must reach that no network without a way to the internet has. */
  readonly needsInternet?: {
    readonly for: string;
    /** True where that may also be inside, and a secret with `allowPrivateAddresses` says that it is. */
    readonly unlessPrivate?: true;
  };
  /** Nothing that Rekey can reach accepts or refuses its credentials: a revocation of one ends unproven. */
  readonly unverifiable?: true;
  /** Its secrets are rotated by a function that is not Rekey's and that the configuration names. */
  readonly foreignFunction?: true;
  /** The target chooses its credentials, so no rules for passwords apply. */
  readonly issued?: true;
  /** The admin secret alone decides what can be made: functions are not shared between secrets of different admins. */
  readonly adminDecides?: true;
  /** Its admin sets passwords of the users that secrets name; see {@link Credentials.isAssigned}. */
  readonly usersByAdmin?: true;
  /** An API sets its passwords, and they are tried where the secret says; the deployment may name that place. */
  readonly triedAtHost?: true;
  /** Strategies that need a `host` in the JSON, where the type does not. */
  readonly needsHost?: readonly Strategy[];
  /** Its secrets must be there before, because a first version of them cannot be generated. */
  readonly adoptedOnly?: true;
  /** How long one step or containment may take: the timeout of its functions. @default usualStepSeconds */
  readonly stepSeconds?: number;
  /** Keys of the credential where that is not `password`; no configuration may hold them. */
  readonly credential?: readonly string[];
  /** Loads the rotator with its driver, or what there is of it; the CDK side never calls this. */
  load(): Promise<Revoker<object>>;
}

/** Every secret type, one line each. A type lives in the folder of its name and brings its own Lambda entry points. */
export const registry = {
  postgresql: {
    title: 'PostgreSQL',
    usersByAdmin: true,
    apis: ['rds'],
    strategies: ['single-user', 'alternating-users'],
    needsAdmin: ['alternating-users'],
    database: true,
    verifiedOn: ['PostgreSQL 18', 'PostgreSQL 17', 'PostgreSQL 16', 'PostgreSQL 15', 'PostgreSQL 14'],
    load: async () => (await import('./postgresql/rotator.ts')).postgresql,
  },
  mysql: {
    title: 'MySQL and MariaDB',
    usersByAdmin: true,
    apis: ['rds'],
    strategies: ['single-user', 'alternating-users', 'dual-credential'],
    needsAdmin: ['alternating-users', 'dual-credential'],
    database: true,
    verifiedOn: ['MariaDB 11.8', 'MariaDB 11.4', 'MariaDB 10.11', 'MySQL 9.7', 'MySQL 8.0'],
    load: async () => (await import('./mysql/rotator.ts')).mysql,
  },
  redshift: {
    title: 'Amazon Redshift',
    usersByAdmin: true,
    strategies: ['single-user', 'alternating-users'],
    needsAdmin: ['alternating-users'],
    database: false,
    verifiedOn: [],
    load: async () => (await import('./redshift/rotator.ts')).redshift,
  },
  redis: {
    title: 'Redis and Valkey',
    usersByAdmin: true,
    strategies: ['single-user', 'dual-credential'],
    needsAdmin: ['dual-credential'],
    database: false,
    verifiedOn: ['Redis 8.6', 'Redis 8.0', 'Redis 7.0', 'Redis 6.0', 'Valkey 9.1', 'Valkey 8.1'],
    load: async () => (await import('./redis/rotator.ts')).redis,
  },
  'iam-access-key': {
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
    load: async () => (await import('./iam-access-key/rotator.ts')).iamAccessKey,
  },
  http: {
    title: 'HTTP APIs',
    needsInternet: { for: 'HTTP APIs on the internet', unlessPrivate: true },
    strategies: ['single-user', 'dual-credential'],
    needsAdmin: [],
    database: false,
    verifiedOn: ['an HTTPS server of the test suite'],
    issued: true,
    adminDecides: true,
    adoptedOnly: true,
    load: async () => (await import('./http/rotator.ts')).http,
  },
  'rds-admin': {
    triedAtHost: true,
    title: 'RDS, Aurora, DocumentDB, Redshift admin password',
    apis: ['rds', 'redshift'],
    strategies: ['single-user'],
    needsAdmin: [],
    database: false,
    verifiedOn: ['PostgreSQL 18.4'],
    aws: {
      resources: {
        pattern:
          /^arn:aws[a-z-]*:(?:rds:[a-z0-9-]+:\d{12}:(?:db|cluster)|redshift:[a-z0-9-]+:\d{12}:cluster):[a-zA-Z0-9-]+$/,
        example: 'arn:aws:rds:eu-central-1:111122223333:cluster:orders',
      },
      rotation: ['rds:ModifyDBInstance', 'rds:ModifyDBCluster', 'redshift:ModifyCluster'],
      containment: ['rds:ModifyDBInstance', 'rds:ModifyDBCluster', 'redshift:ModifyCluster'],
      anyResource: {
        actions: ['rds:DescribeDBInstances', 'rds:DescribeDBClusters', 'redshift:DescribeClusters'],
        reason:
          'The database of a secret is looked up among all by its host; the describe actions list databases and read no data.',
      },
    },
    stepSeconds: longestStepSeconds,
    load: async () => (await import('./rds-admin/rotator.ts')).rdsAdmin,
  },
  elasticache: {
    triedAtHost: true,
    needsHost: ['dual-credential'],
    title: 'ElastiCache users',
    apis: ['elasticache'],
    strategies: ['single-user', 'dual-credential'],
    needsAdmin: [],
    database: false,
    verifiedOn: ['Redis 8.6', 'Redis 8.0', 'Redis 7.0', 'Valkey 9.1', 'Valkey 8.1'],
    aws: {
      resources: {
        pattern: /^arn:aws[a-z-]*:elasticache:[a-z0-9-]+:\d{12}:user:[a-zA-Z][a-zA-Z0-9-]*$/,
        example: 'arn:aws:elasticache:eu-central-1:111122223333:user:orders',
      },
      rotation: ['elasticache:DescribeUsers', 'elasticache:ModifyUser'],
      containment: ['elasticache:DescribeUsers', 'elasticache:ModifyUser'],
    },
    stepSeconds: longestStepSeconds,
    load: async () => (await import('./elasticache/rotator.ts')).elastiCache,
  },
  generic: {
    title: 'Generic random value',
    strategies: ['single-user'],
    needsAdmin: [],
    database: false,
    verifiedOn: [],
    unverifiable: true,
    load: async () => (await import('./generic/rotator.ts')).generic,
  },
  external: {
    title: 'Any existing rotation function',
    strategies: ['single-user', 'alternating-users', 'dual-credential'],
    needsAdmin: [],
    database: false,
    verifiedOn: [],
    unverifiable: true,
    foreignFunction: true,
    load: async () => (await import('./external/revoker.ts')).external,
  },
} as const satisfies Record<string, SecretTypeEntry>;

export type SecretType = keyof typeof registry;
export const secretTypes = Object.keys(registry) as readonly SecretType[];

/** How long a step of a type may take, in seconds. */
export const stepSecondsOf = (type: SecretType): number =>
  (registry[type] as SecretTypeEntry).stepSeconds ?? usualStepSeconds;

type With<Flag extends string> = {
  [Type in SecretType]: (typeof registry)[Type] extends Record<Flag, true> ? Type : never;
}[SecretType];

/** A type whose secrets a rotation function of Rekey's rotates. */
export type RotatedType = Exclude<SecretType, With<'foreignFunction'>>;
export const isRotated = (type: SecretType): type is RotatedType => !('foreignFunction' in registry[type]);
export const rotatedTypes: readonly RotatedType[] = secretTypes.filter(isRotated);

/** Whether a definition's type is one that nothing within Rekey's reach accepts or refuses. */
export const isUnverifiable = (type: string): boolean =>
  secretTypes.some((known) => known === type && 'unverifiable' in registry[known]);

/** A type whose credentials a target accepts or refuses. */
export type TargetType = Exclude<SecretType, With<'unverifiable'>>;
export const targetTypes: readonly TargetType[] = secretTypes.filter(
  (type): type is TargetType => !('unverifiable' in registry[type]),
);
