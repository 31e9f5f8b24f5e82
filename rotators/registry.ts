import type { Strategy } from '../core/secret.ts';
import type { Rotator } from './rotator.ts';

/** One secret type: what the configuration, the documentation and the conformance suite need without its driver. */
export interface SecretTypeEntry {
  readonly title: string;
  readonly strategies: readonly Strategy[];
  /** True when Amazon RDS may run the target; its functions may then look up hosts through the RDS API. */
  readonly database: boolean;
  /** Loads the rotator with its driver; the CDK side never calls this. */
  load(): Promise<Rotator<object>>;
}

/** Every secret type, one line each. A type lives in the folder of its name and brings its own Lambda entry points. */
export const registry = {
  postgresql: {
    title: 'PostgreSQL',
    strategies: ['single-user', 'alternating-users'],
    database: true,
    load: async () => (await import('./postgresql/rotator.ts')).postgresql,
  },
  mysql: {
    title: 'MySQL and MariaDB',
    strategies: ['single-user', 'alternating-users'],
    database: true,
    load: async () => (await import('./mysql/rotator.ts')).mysql,
  },
  redis: {
    title: 'Redis and Valkey',
    strategies: ['single-user', 'dual-credential'],
    database: false,
    load: async () => (await import('./redis/rotator.ts')).redis,
  },
} as const satisfies Record<string, SecretTypeEntry>;

export type SecretType = keyof typeof registry;
export const secretTypes = Object.keys(registry) as readonly SecretType[];
