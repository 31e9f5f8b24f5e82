import type { Strategy } from '../core/secret.ts';
import type { Rotator } from './rotator.ts';

/** Permissions for targets that are reached through an AWS API. */
export interface AwsAccess {
  /** Form of the ARNs that a secret's `resources` names, and one to show in errors. */
  readonly resources: { readonly pattern: RegExp; readonly example: string };
  /** Actions of the rotation and of the containment function, on those resources. */
  readonly rotation: readonly string[];
  readonly containment: readonly string[];
  /** Actions of both functions that IAM knows no resource for, and why they are harmless. */
  readonly anyResource?: { readonly actions: readonly string[]; readonly reason: string };
}

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
  /** Loads the rotator with its driver; the CDK side never calls this. */
  load(): Promise<Rotator<object>>;
}

/** Every secret type, one line each. A type lives in the folder of its name and brings its own Lambda entry points. */
export const registry = {
  postgresql: {
    title: 'PostgreSQL',
    strategies: ['single-user', 'alternating-users'],
    needsAdmin: ['alternating-users'],
    database: true,
    verifiedOn: ['PostgreSQL 18.4'],
    load: async () => (await import('./postgresql/rotator.ts')).postgresql,
  },
  mysql: {
    title: 'MySQL and MariaDB',
    strategies: ['single-user', 'alternating-users', 'dual-credential'],
    needsAdmin: ['alternating-users', 'dual-credential'],
    database: true,
    verifiedOn: ['MariaDB 10.11', 'MySQL 9.7'],
    load: async () => (await import('./mysql/rotator.ts')).mysql,
  },
  redshift: {
    title: 'Amazon Redshift',
    strategies: ['single-user', 'alternating-users'],
    needsAdmin: ['alternating-users'],
    database: false,
    verifiedOn: [],
    load: async () => (await import('./redshift/rotator.ts')).redshift,
  },
  redis: {
    title: 'Redis and Valkey',
    strategies: ['single-user', 'dual-credential'],
    needsAdmin: ['dual-credential'],
    database: false,
    verifiedOn: ['Redis 7.0'],
    load: async () => (await import('./redis/rotator.ts')).redis,
  },
} as const satisfies Record<string, SecretTypeEntry>;

export type SecretType = keyof typeof registry;
export const secretTypes = Object.keys(registry) as readonly SecretType[];
