import type { SecretInput } from '../../lib/config/schema.ts';
import { adminSecret, created, type EnvironmentInput, otherAdminSecret, type Place } from './settings.ts';

/** A change of the configuration, and what becomes of it. */
export interface Transition {
  readonly name: string;
  /** The configuration afterwards; `undefined` where it cannot be made from this one. */
  apply(environment: EnvironmentInput, place: Place): EnvironmentInput | undefined;
  /** Whether the next rotation of a secret shall show it in the JSON. */
  readonly shows?: (secret: string, json: Readonly<Record<string, unknown>>) => boolean;
}

type Secrets = NonNullable<EnvironmentInput['secrets']>;

const withSecrets = (environment: EnvironmentInput, secrets: Secrets): EnvironmentInput => ({
  ...environment,
  secrets,
});

/** Changes one secret, if it is there and the change makes sense for it. */
const ofSecret =
  (key: string, change: (secret: SecretInput, place: Place) => SecretInput | undefined) =>
  (environment: EnvironmentInput, place: Place): EnvironmentInput | undefined => {
    const secret = environment.secrets?.[key];
    const changed = secret && change(secret, place);
    return changed && withSecrets(environment, { ...environment.secrets, [key]: changed });
  };

const withFields = (secret: SecretInput, fields: Record<string, string | number | boolean>) =>
  secret.create === undefined ? undefined : { ...secret, create: { ...secret.create, fields } };

function without<T extends object, K extends keyof T>(value: T, key: K): Omit<T, K> {
  const { [key]: _, ...rest } = value;
  return rest;
}

/** The transitions that are the likeliest to break something; every run tries them all. */
export const worst: readonly Transition[] = [
  {
    name: 'the length of passwords',
    apply: (environment) => ({ ...environment, passwords: { length: 40 } }),
    shows: (secret, json) =>
      !['orders', 'billing', 'token'].includes(secret) || String(json.password).length === 40,
  },
  {
    name: 'a field more, and one changed',
    apply: ofSecret('orders', (secret) =>
      withFields(secret, { ...secret.create?.fields, application: 'shop', dbname: 'postgres' }),
    ),
    shows: (secret, json) =>
      secret !== 'orders' || (json.application === 'shop' && json.dbname === 'postgres'),
  },
  {
    name: 'another admin secret',
    apply: ofSecret('billing', (secret) => ({ ...secret, adminSecret: { adopt: otherAdminSecret } })),
    shows: (secret, json) => secret !== 'billing' || String(json.masterarn).includes(otherAdminSecret),
  },
  {
    name: 'single-user becomes alternating-users',
    apply: ofSecret('orders', (secret) =>
      secret.strategy === 'single-user' ? { ...secret, strategy: 'alternating-users' } : undefined,
    ),
  },
  {
    name: 'into a network',
    apply: ofSecret('billing', (secret) => ({ ...secret, network: 'inner' })),
  },
  {
    name: 'another certificate authority',
    apply: ofSecret('ledger', (secret, place) => ({ ...secret, certificateAuthority: place.otherAuthority })),
  },
  {
    name: 'another key in the configuration for the same secret',
    apply(environment) {
      const { orders, ...others } = environment.secrets ?? {};
      return orders === undefined ? undefined : withSecrets(environment, { ...others, purchases: orders });
    },
  },
  {
    name: 'a secret is taken out',
    apply(environment) {
      const { token, ...others } = environment.secrets ?? {};
      return token === undefined ? undefined : withSecrets(environment, others);
    },
  },
  {
    name: 'a secret comes in',
    apply: (environment, place) =>
      withSecrets(environment, { ...environment.secrets, stock: created(place, 'stock', 'single-user') }),
  },
  { name: 'nobody has access any more', apply: (environment) => without(environment, 'access') },
];

/** The further ones, of which a run takes a random share. */
export const others: readonly Transition[] = [
  {
    name: 'a created secret is adopted',
    // Its key is the environment's, which an adopted secret must name.
    apply: ofSecret('billing', (secret, { secretsKey }) =>
      secret.create === undefined || secretsKey === undefined
        ? undefined
        : { ...without(secret, 'create'), adopt: `/dev/${secret.create.name}`, encryptionKey: secretsKey },
    ),
  },
  {
    name: 'a field less',
    apply: ofSecret('token', (secret) => withFields(secret, {})),
  },
  {
    name: 'out of the network',
    apply: ofSecret('billing', (secret) =>
      secret.network === undefined ? undefined : without(secret, 'network'),
    ),
  },
  {
    name: 'alternating-users becomes single-user',
    apply: ofSecret('billing', (secret) =>
      secret.strategy === 'alternating-users' ? { ...secret, strategy: 'single-user' } : undefined,
    ),
  },
  {
    name: 'another schedule',
    apply: ofSecret('ledger', (secret) => ({ ...secret, schedule: 'rate(7 days)' })),
  },
  {
    name: 'another schedule of all',
    apply: (environment) => ({ ...environment, rotation: { schedule: 'rate(10 days)', maximumAgeDays: 20 } }),
  },
  {
    name: 'another owner, and consumers',
    apply: ofSecret('orders', (secret) => ({ ...secret, owner: 'team-orders', consumers: ['checkout'] })),
  },
  {
    name: 'plaintext is allowed',
    apply: ofSecret('orders', (secret) => ({ ...secret, allowPlaintext: true })),
  },
  {
    name: 'an admin secret for a login of its own',
    apply: ofSecret('ledger', (secret) => ({ ...secret, adminSecret: { adopt: adminSecret } })),
  },
  {
    name: 'no admin secret any more',
    apply: ofSecret('orders', (secret) =>
      secret.strategy === 'single-user' ? without(secret, 'adminSecret') : undefined,
    ),
  },
  {
    name: 'a network of another name',
    apply(environment) {
      const { inner } = environment.networks ?? {};
      return inner === undefined
        ? undefined
        : {
            ...environment,
            networks: { private: inner },
            secrets: Object.fromEntries(
              Object.entries(environment.secrets ?? {}).map(([key, secret]) => [
                key,
                secret.network === 'inner' ? { ...secret, network: 'private' } : secret,
              ]),
            ),
          };
    },
  },
  {
    name: 'other subnets',
    apply: (environment) =>
      environment.networks?.inner === undefined
        ? undefined
        : {
            ...environment,
            networks: {
              inner: {
                existing: { vpcId: 'vpc-0a1b2c3d', subnetIds: ['subnet-0b1c2d3e', 'subnet-0c1d2e3f'] },
              },
            },
          },
  },
  {
    name: 'an archive of events, and more sources of requests',
    apply: (environment) => ({
      ...environment,
      eventArchiveDays: 7,
      revocation: { sources: ['rekey.cli', 'acme.scanner'] },
    }),
  },
  { name: 'no archive of events', apply: (environment) => without(environment, 'eventArchiveDays') },
  {
    name: 'mails of alarms',
    apply: (environment) => ({ ...environment, notifications: { emails: ['a@example.com'] } }),
  },
  {
    name: 'a longer retention of the audit log',
    apply: (environment) => ({ ...environment, audit: { retentionDays: 2 } }),
  },
  {
    name: 'shorter overlaps',
    apply: (environment) => ({ ...environment, rotation: { overlapHours: 1, graceHours: 0 } }),
  },
  {
    name: 'a secret is renamed in Secrets Manager',
    apply: ofSecret('token', (secret) =>
      secret.create === undefined
        ? undefined
        : { ...secret, create: { ...secret.create, name: 'token-two' } },
    ),
  },
  {
    name: 'roles come back',
    apply: (environment) => ({
      ...environment,
      access: { operators: ['000000000000'], auditors: ['000000000000'] },
    }),
  },
];
