import type { ConfigurationInput, SecretInput } from '../../lib/config/schema.ts';

export type EnvironmentInput = ConfigurationInput['environments'][string];

/** Where the targets of this run are. */
export interface Place {
  readonly host: string;
  readonly port: number;
  /** PEM file of the database's authority. */
  readonly authority: string;
  /** A second file with the same content. */
  readonly otherAuthority: string;
  /** ARN of the key of created secrets; known after the first deploy. */
  readonly secretsKey?: string;
}

/** Applications of the database; each may stand in a secret. */
export const applications = ['orders', 'billing', 'stock', 'ledger'] as const;
export type Application = (typeof applications)[number];

export const adminSecret = '/dev/postgres-admin';
/** The same admin under a second name, for a change of the admin secret. */
export const otherAdminSecret = '/dev/postgres-admin-2';
/** A secret that exists before, to be adopted. */
export const adoptedSecret = '/dev/ledger';

const shared = (place: Place) =>
  ({
    type: 'postgresql',
    adminSecret: { adopt: adminSecret },
    owner: 'team-shop',
    certificateAuthority: place.authority,
  }) as const;

/** A created PostgreSQL secret of an application. */
export const created = (
  place: Place,
  application: Application,
  strategy: 'single-user' | 'alternating-users',
): SecretInput => ({
  ...shared(place),
  strategy,
  create: {
    name: application,
    fields: {
      engine: 'postgres',
      host: place.host,
      port: place.port,
      dbname: 'shop',
      username: `${application}_app`,
    },
  },
});

/** The adopted secret, whose login changes its own password. */
const adopted = (place: Place): SecretInput => ({
  type: 'postgresql',
  strategy: 'single-user',
  adopt: adoptedSecret,
  owner: 'team-shop',
  certificateAuthority: place.authority,
});

/** What every sequence starts from: a secret of each kind. */
export const start = (place: Place): EnvironmentInput => ({
  account: '000000000000',
  region: 'us-east-1',
  audit: { retentionDays: 1 },
  eventArchiveDays: 7,
  access: { operators: ['000000000000'], responders: ['000000000000'], auditors: ['000000000000'] },
  networks: { inner: { existing: { vpcId: 'vpc-0a1b2c3d', subnetIds: ['subnet-0a1b2c3d'] } } },
  secrets: {
    orders: created(place, 'orders', 'single-user'),
    billing: created(place, 'billing', 'alternating-users'),
    ledger: adopted(place),
    token: {
      type: 'generic',
      strategy: 'single-user',
      create: { name: 'token', fields: { purpose: 'webhooks' } },
      owner: 'team-shop',
    },
  },
});
