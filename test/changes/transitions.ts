import type { LooseSecretInput, SecretInput } from '../../lib/config/schema.ts';
import { ofTheEnvironment } from './environment-transitions.ts';
import {
  type Application,
  adminSecret,
  created,
  type EnvironmentInput,
  otherAdminSecret,
  type Place,
} from './settings.ts';
import { otherKey, type Transition, without } from './transition.ts';

type Secrets = NonNullable<EnvironmentInput['secrets']>;

const withSecrets = (environment: EnvironmentInput, secrets: Secrets): EnvironmentInput => ({
  ...environment,
  secrets,
});

/** Changes one secret, if it is there and the change makes sense for it. */
const ofSecret = (
  secret: Application | 'token',
  change: (secret: LooseSecretInput, place: Place) => LooseSecretInput | undefined,
): Pick<Transition, 'secret' | 'apply'> => ({
  secret,
  apply(environment, place) {
    const key = secret === 'orders' && environment.secrets?.orders === undefined ? otherKey : secret;
    const before = environment.secrets?.[key];
    const changed = before && change(before, place);
    return changed && withSecrets(environment, { ...environment.secrets, [key]: changed as SecretInput });
  },
});

const withFields = (secret: LooseSecretInput, fields: Record<string, string | number | boolean>) =>
  secret.create === undefined ? undefined : { ...secret, create: { ...secret.create, fields } };

/** The transitions that are the likeliest to break something; every run tries them all. */
export const worst: readonly Transition[] = [
  {
    name: 'the length of passwords',
    fields: ['passwords.length'],
    apply: (environment) => ({ ...environment, passwords: { length: 40 } }),
    shows: (secret, json) =>
      !['orders', 'billing', 'token'].includes(secret) || String(json.password).length === 40,
  },
  {
    name: 'a field more, and one changed',
    fields: ['secrets.*.create.fields.*'],
    ...ofSecret('orders', (secret) =>
      withFields(secret, { ...secret.create?.fields, application: 'shop', dbname: 'postgres' }),
    ),
    shows: (secret, json) =>
      secret !== 'orders' || (json.application === 'shop' && json.dbname === 'postgres'),
  },
  {
    name: 'another admin secret',
    fields: ['secrets.*.adminSecret.adopt'],
    ...ofSecret('billing', (secret) => ({ ...secret, adminSecret: { adopt: otherAdminSecret } })),
    shows: (secret, json) => secret !== 'billing' || String(json.masterarn).includes(otherAdminSecret),
  },
  {
    name: 'another certificate authority',
    fields: ['secrets.*.certificateAuthority'],
    ...ofSecret('ledger', (secret, place) => ({ ...secret, certificateAuthority: place.otherAuthority })),
  },
  {
    name: 'single-user becomes alternating-users',
    fields: ['secrets.*.strategy'],
    ...ofSecret('orders', (secret) =>
      secret.strategy === 'single-user' ? { ...secret, strategy: 'alternating-users' } : undefined,
    ),
  },
  {
    name: 'into a network',
    fields: ['secrets.*.network'],
    ...ofSecret('billing', (secret) => ({ ...secret, network: 'inner' })),
  },
  {
    name: 'a secret is taken out',
    fields: ['secrets.*'],
    secret: 'token',
    apply(environment) {
      const { token, ...rest } = environment.secrets ?? {};
      return token === undefined ? undefined : withSecrets(environment, rest);
    },
  },
  {
    name: 'another key in the configuration for the same secret',
    fields: ['secrets.*'],
    secret: 'orders',
    apply(environment) {
      const { orders, ...rest } = environment.secrets ?? {};
      return orders === undefined ? undefined : withSecrets(environment, { ...rest, [otherKey]: orders });
    },
  },
  {
    name: 'a secret comes in, and is not to rotate at once',
    fields: ['secrets.*', 'secrets.*.rotateOnDeploy'],
    secret: 'stock',
    apply: (environment, place) =>
      withSecrets(environment, {
        ...environment.secrets,
        stock: { ...created(place, 'stock', 'single-user'), rotateOnDeploy: false },
      }),
  },
  {
    name: 'nobody has access any more',
    fields: [
      'access.operators',
      'access.responders',
      'access.auditors',
      'access.policyAuthors',
      'access.approvers',
    ],
    apply: (environment) => without(environment, 'access'),
  },
];

/** The further ones, of which a run takes a random share. They follow the {@link worst}, in any order. */
export const others: readonly Transition[] = [
  {
    name: 'a created secret is adopted',
    fields: ['secrets.*.create.name', 'secrets.*.adopt', 'secrets.*.encryptionKey'],
    // Its key is the environment's, which an adopted secret must name.
    ...ofSecret('billing', (secret, { secretsKey }) =>
      secret.create === undefined || secretsKey === undefined
        ? undefined
        : { ...without(secret, 'create'), adopt: `/dev/${secret.create.name}`, encryptionKey: secretsKey },
    ),
  },
  {
    name: 'a secret that waited for its schedule would rotate at once now',
    fields: ['secrets.*.rotateOnDeploy'],
    ...ofSecret('stock', (secret) => without(secret, 'rotateOnDeploy')),
  },
  {
    name: 'a field less',
    fields: ['secrets.*.create.fields.*'],
    ...ofSecret(
      'stock',
      ({ create, ...secret }) =>
        create && { ...secret, create: { ...create, fields: without(create.fields, 'dbname') } },
    ),
    shows: (secret, json) => secret !== 'stock' || json.dbname === 'shop',
  },
  {
    name: 'out of the network',
    fields: ['secrets.*.network'],
    ...ofSecret('billing', (secret) => without(secret, 'network')),
  },
  {
    name: 'alternating-users becomes single-user',
    fields: ['secrets.*.strategy'],
    ...ofSecret('billing', (secret) => ({ ...secret, strategy: 'single-user' })),
  },
  {
    name: 'another schedule',
    fields: ['secrets.*.schedule', 'secrets.*.maximumAgeDays'],
    ...ofSecret('ledger', (secret) => ({ ...secret, schedule: 'rate(7 days)', maximumAgeDays: 9 })),
  },
  {
    name: 'rules of its own for passwords',
    fields: [
      'secrets.*.passwords.length',
      'secrets.*.passwords.excludeCharacters',
      'secrets.*.passwords.excludeNumbers',
      'secrets.*.passwords.excludePunctuation',
      'secrets.*.passwords.excludeUppercase',
      'secrets.*.passwords.excludeLowercase',
      'secrets.*.passwords.requireEachIncludedType',
    ],
    ...ofSecret('ledger', (secret) => ({
      ...secret,
      passwords: {
        length: 36,
        excludeCharacters: 'aeiou',
        excludeNumbers: false,
        excludePunctuation: true,
        excludeUppercase: true,
        excludeLowercase: false,
        requireEachIncludedType: true,
      },
    })),
    shows: (secret, json) => secret !== 'ledger' || /^[b-df-hj-np-tv-z0-9]{36}$/.test(String(json.password)),
  },
  {
    name: 'another schedule of all',
    fields: ['rotation.schedule', 'rotation.maximumAgeDays'],
    apply: (environment) => ({
      ...environment,
      rotation: { ...environment.rotation, schedule: 'rate(10 days)', maximumAgeDays: 20 },
    }),
  },
  {
    name: 'another owner, consumers, a purpose and a last day',
    fields: ['secrets.*.owner', 'secrets.*.consumers', 'secrets.*.purpose', 'secrets.*.expires'],
    ...ofSecret('orders', (secret) => ({
      ...secret,
      owner: 'team-orders',
      consumers: ['checkout'],
      purpose: 'takes orders',
      expires: '2036-12-31',
    })),
  },
  {
    name: 'what a credential leads to',
    fields: [
      'consumers.*',
      'consumers.*.leadsTo.*.secret',
      'consumers.*.leadsTo.*.task',
      'secrets.*.leadsTo.*.secret',
      'secrets.*.leadsTo.*.task',
    ],
    apply: (environment) => {
      const { secrets = {} } = environment;
      const leadsTo = [
        { task: 'End the sessions of all customers.' },
        ...(secrets.ledger === undefined ? [] : [{ secret: 'ledger' }]),
      ];
      const key = secrets.orders === undefined ? otherKey : 'orders';
      const leading = { ...secrets[key], consumers: ['checkout'], leadsTo } as SecretInput;
      return {
        ...withSecrets(environment, { ...secrets, [key]: leading }),
        consumers: { checkout: { leadsTo } },
      };
    },
  },
  {
    name: 'plaintext is allowed',
    fields: ['secrets.*.allowPlaintext'],
    ...ofSecret('orders', (secret) => ({ ...secret, allowPlaintext: true })),
  },
  {
    name: 'an admin secret for a login of its own',
    fields: ['secrets.*.adminSecret.adopt'],
    ...ofSecret('ledger', (secret) => ({ ...secret, adminSecret: { adopt: adminSecret } })),
  },
  {
    name: 'the user and the place of an adopted secret',
    fields: [
      'secrets.*.identity.username',
      'secrets.*.identity.host',
      'secrets.*.identity.port',
      'secrets.*.identity.ssl',
    ],
    ...ofSecret('ledger', (secret) => ({
      ...secret,
      adminSecret: { adopt: adminSecret },
      identity: { username: 'ledger', host: 'localhost', port: 5432, ssl: true },
    })),
  },
  {
    name: 'no admin secret any more',
    fields: ['secrets.*.adminSecret.adopt'],
    ...ofSecret('stock', (secret) => without(secret, 'adminSecret')),
    shows: (secret, json) => secret !== 'stock' || json.masterarn === undefined,
  },
  {
    name: 'a network of another name',
    fields: ['networks.*'],
    apply: ({ networks = {}, secrets = {}, ...environment }) => ({
      ...environment,
      networks: Object.fromEntries(Object.values(networks).map((network) => ['private', network])),
      secrets: Object.fromEntries(
        Object.entries(secrets).map(([key, secret]) => [
          key,
          secret.network === undefined ? secret : { ...secret, network: 'private' },
        ]),
      ),
    }),
  },
  {
    name: 'other subnets, and a way out more',
    fields: [
      'networks.*.existing.subnetIds',
      'networks.*.existing.egress.*.to',
      'networks.*.existing.egress.*.port',
      'networks.*.existing.egress.*.protocol',
    ],
    apply: ({ networks = {}, ...environment }) => ({
      ...environment,
      networks: Object.fromEntries(
        Object.keys(networks).map((name) => [
          name,
          {
            existing: {
              vpcId: 'vpc-0a1b2c3d',
              subnetIds: ['subnet-0b1c2d3e', 'subnet-0c1d2e3f'],
              egress: [{ to: '10.9.0.0/16', port: 53, protocol: 'udp' as const }],
            },
          },
        ]),
      ),
    }),
  },
  ...ofTheEnvironment,
  {
    // A new secret begins with a password that nobody knows, so an admin must set its first one.
    name: 'a secret is renamed in Secrets Manager',
    fields: ['secrets.*.create.name'],
    ...ofSecret(
      'stock',
      ({ create, ...secret }) =>
        create && {
          ...secret,
          adminSecret: { adopt: adminSecret },
          create: { ...create, name: 'stock-two' },
        },
    ),
  },
  {
    name: 'roles come back, by owner',
    fields: ['access.operators', 'access.auditors', 'access.byOwner', 'access.sessionName'],
    apply: (environment) => ({
      ...environment,
      access: {
        operators: ['000000000000'],
        auditors: ['000000000000'],
        byOwner: true,
        sessionName: 'aws:username',
      },
    }),
  },
];

/**
 * Deploys what belongs together: transitions of different secrets, and of the environment, of which none can hide what another
 * one does, since each value and each schedule is looked at by itself.
 * @param most - how many at once; 1 finds out which one it was
 */
export function batchesOf(sequence: readonly Transition[], most: number): readonly (readonly Transition[])[] {
  const batches: Transition[][] = [];
  for (const transition of sequence) {
    const batch = batches.at(-1);
    const alone = ({ secret, fields }: Transition) =>
      (secret !== undefined && secret === transition.secret) ||
      fields.some((field) => field !== 'secrets.*' && transition.fields.includes(field));
    if (batch === undefined || batch.length >= most || batch.some(alone)) batches.push([transition]);
    else batch.push(transition);
  }
  return batches;
}
