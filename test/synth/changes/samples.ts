import type { Field } from '../../../lib/config/changes.ts';
import type { ConfigurationInput, LooseSecretInput } from '../../../lib/config/schema.ts';
import { consumerSamples, consumersAt } from './consumers.ts';
import { elsewhereSamples } from './elsewhere.ts';
import { notificationSamples, notificationsAt } from './notifications.ts';
import { signalSamples, trailSamples } from './signals.ts';

type Environment = ConfigurationInput['environments'][string];
type ManualInput = NonNullable<Environment['manualSecrets']>[string];
type NetworkInput = NonNullable<Environment['networks']>[string];

/** How often an environment is configured anew. */
export const steps = 4;

/** Values of one field, one for each configuration; between two of them it is added, changed or removed. */
type Values<T> = readonly [T, T, T, T];

/** Not there, there, changed, gone: every change that an optional field can have. */
const optional = <T>(one: T, other: T): Values<T | undefined> => [undefined, one, other, undefined];

/** What configures a field: a secret or a network for it alone, or a setting of the environment. */
export interface Sample {
  readonly secret?: Values<LooseSecretInput | undefined>;
  /** Key of that secret, where it is not always the same. */
  readonly key?: Values<string>;
  readonly network?: Values<NetworkInput>;
  /** Name of that network, where it is not always the same. */
  readonly networkName?: Values<string>;
  /** A secret that people replace. */
  readonly manual?: Values<ManualInput>;
  readonly setting?: Values<unknown>;
}

export const account = '111122223333';
export const region = 'eu-central-1';
const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${account}:${resource}`;
const keyArn = arn('kms', 'key/11111111-2222-3333-4444-555555555555');
const otherKeyArn = arn('kms', 'key/66666666-2222-3333-4444-555555555555');

const login = { engine: 'postgres', username: 'orders', host: 'db.internal' };

const adopted = (id: string): LooseSecretInput => ({
  type: 'postgresql',
  strategy: 'single-user',
  adopt: `sample/${id}`,
  owner: 'team-orders',
});
const created = (id: string): LooseSecretInput => ({
  type: 'postgresql',
  strategy: 'single-user',
  create: { name: `sample/${id}`, fields: login },
  adminSecret: { adopt: 'database-admin' },
  owner: 'team-orders',
});

/** A created secret, one of whose settings is added, changed and removed. */
const ofCreated = <Key extends keyof LooseSecretInput>(
  key: Key,
  values: Values<LooseSecretInput[Key] | undefined>,
  more: Partial<LooseSecretInput> = {},
): Sample => ({ secret: values.map((value) => with_({ ...created(key), ...more }, key, value)) as never });

/** The same of an adopted one. */
const ofAdopted = <Key extends keyof LooseSecretInput>(
  key: Key,
  values: Values<LooseSecretInput[Key] | undefined>,
  more: Partial<LooseSecretInput> = {},
): Sample => ({ secret: values.map((value) => with_({ ...adopted(key), ...more }, key, value)) as never });

/** An adopted secret whose user and place the configuration names, changes and names no more. */
const assigned = (
  id: string,
  one: Partial<LooseSecretInput['identity']>,
  other: Partial<LooseSecretInput['identity']>,
): Sample => {
  const base = { ...adopted(`identity-${id}`), adminSecret: { adopt: 'database-admin' } };
  const place = { username: 'orders', host: 'db.internal' };
  return {
    secret: optional({ ...place, ...one }, { ...place, ...other }).map((value) =>
      with_(base, 'identity', value),
    ) as never,
  };
};

function with_(secret: LooseSecretInput, key: keyof LooseSecretInput, value: unknown): LooseSecretInput {
  const { [key]: _, ...rest } = secret;
  return (value === undefined ? rest : { ...rest, [key]: value }) as LooseSecretInput;
}

/** All rules for the passwords of one created secret: each secret with rules of its own needs functions of its own. */
const ownRules: Sample = {
  key: ['own-rules', 'own-rules', 'own-rules', 'own-rules'],
  secret: optional<LooseSecretInput['passwords']>(
    {
      length: 24,
      excludeCharacters: '/@',
      excludeNumbers: true,
      excludePunctuation: true,
      excludeUppercase: true,
      excludeLowercase: false,
      requireEachIncludedType: true,
    },
    {
      length: 40,
      excludeCharacters: '/@"',
      excludeNumbers: false,
      excludePunctuation: false,
      excludeUppercase: false,
      excludeLowercase: true,
      requireEachIncludedType: false,
    },
  ).map((passwords) => ({ ...created('own-rules'), ...(passwords && { passwords }) })) as never,
};

const manual = (...values: Values<Partial<ManualInput>>): Sample => ({
  manual: values.map((value) => ({
    adopt: 'vendor/licence',
    owner: 'team-orders',
    purpose: 'opens the API of a vendor',
    replaceEveryDays: 365,
    ...value,
  })) as never,
});
const setting = <T>(one: T, other: T): Sample => ({ setting: optional(one, other) });
const vpcId = 'vpc-0a1b2c3d';
const subnetIds = ['subnet-0a1b2c3d'];
const existing = (more: object): NetworkInput => ({ existing: { vpcId, subnetIds, ...more } });
const reach = { connect: [{ to: '10.64.0.0/16', vpcId }], egress: [{ to: '10.64.0.0/16', port: 5432 }] };
const made = (more: object): NetworkInput => ({ create: { ...reach, ...more } });
const networks = (...values: Values<NetworkInput>): Sample => ({ network: values });
const rule = (more: object = {}) => ({ to: '10.64.0.0/16', port: 5432, ...more });
const egress = (more: object) =>
  networks(existing({}), existing({ egress: [rule()] }), existing({ egress: [rule(more)] }), existing({}));
const inside = (more: object) =>
  networks(
    made({}),
    made({ egress: [rule(), rule({ to: '10.64.1.0/24', ...more })] }),
    made({ egress: [rule(more)] }),
    made({}),
  );
const tgw = { to: '10.64.0.0/16', transitGatewayId: 'tgw-0a1b2c3d' };
const admins = { adopt: 'admin/one', encryptionKey: keyArn };

/** A sample of each field of the configuration. */
const samples: Readonly<Record<Field, Sample>> = {
  account: { setting: [undefined, account, account, undefined] },
  region: { setting: [undefined, region, region, undefined] },
  'audit.retentionDays': { setting: [30, 40, 20, 30] },
  'rotation.schedule': setting('rate(10 days)', 'cron(0 3 1 * ? *)'),
  'rotation.overlapHours': setting(1, 48),
  'rotation.graceHours': setting(0, 48),
  'rotation.brakeAfter': setting(0, 7),
  'rotation.maximumAgeDays': setting(60, 90),
  'passwords.length': setting(24, 40),
  'passwords.excludeCharacters': setting('/@', '/@"'),
  'passwords.excludeNumbers': setting(true, false),
  'passwords.excludePunctuation': setting(true, false),
  'passwords.excludeUppercase': setting(true, false),
  'passwords.excludeLowercase': setting(false, true),
  'passwords.requireEachIncludedType': setting(true, false),
  'lifecycle.remindDaysBefore': setting([14], [14, 1]),
  ...consumerSamples,
  'manualSecrets.*': manual({}, {}, {}, {}),
  'manualSecrets.*.adopt': manual({}, { adopt: 'vendor/other' }, {}, {}),
  'manualSecrets.*.owner': manual({}, { owner: 'team-billing' }, {}, {}),
  'manualSecrets.*.purpose': manual({}, { purpose: 'signs what the vendor reads' }, {}, {}),
  'manualSecrets.*.consumers': manual({}, { consumers: ['a'] }, { consumers: ['a', 'b'] }, {}),
  'manualSecrets.*.replaceEveryDays': manual({}, { replaceEveryDays: 30 }, {}, {}),
  'manualSecrets.*.expires': manual({}, { expires: '2036-12-31' }, { expires: '2037-12-31' }, {}),
  ...signalSamples,
  ...trailSamples,
  policy: setting(
    { stage: 'development', require: { tls: false } },
    { stage: 'development', severity: { PlaintextAllowed: 'off' } },
  ),
  strategies: setting(
    ['single-user', 'dual-credential', 'alternating-users'],
    ['alternating-users', 'single-user', 'dual-credential'],
  ),
  eventArchiveDays: setting(7, 30),
  fingerprints: setting(true, false),
  'notifications.emails': { setting: [undefined, ['a@example.com'], undefined, ['b@example.com']] },
  'notifications.topicArn': { setting: [undefined, undefined, arn('sns', 'ops'), undefined] },
  ...notificationSamples,
  'access.operators': setting([account], [arn('iam', 'role/x').replace(region, '')]),
  'access.responders': setting([account], ['999988887777']),
  'access.auditors': setting([account], ['999988887777']),
  'access.policyAuthors': setting([account], ['999988887777']),
  'access.approvers': setting([account], ['999988887777']),
  'access.byOwner': setting(true, false),
  'access.sessionName': setting('aws:username', 'aws:PrincipalTag/mail'),
  'revocation.sources': setting(['rekey.cli', 'acme.scanner'], ['rekey.cli']),
  'revocation.accounts': setting(['999988887777'], ['444455556666']),
  'revocation.maximumAgeHours': setting(12, 48),
  'revocation.rotationsPerSecond': setting(10, 15),
  ...elsewhereSamples,
  'approvals.revocation.kill': setting('second person', 'never'),
  'approvals.revocation.replace': setting('second person', 'second person'),
  'approvals.minutes': setting(120, 30),
  'approvals.escalateAfterMinutes': setting(0, 10),
  'approvals.onExpiry': setting('proceed', 'refuse'),
  'approvals.breakGlass': setting(false, true),
  'approvals.approvers.*': setting({}, {}),
  'approvals.approvers.*.email': setting('a@example.com', 'b@example.com'),
  'approvals.mailFrom': setting('rekey@example.com', 'approvals@example.com'),
  'reservedConcurrency.intake': setting(1, 2),
  'reservedConcurrency.workflow': setting(1, 2),
  'reservedConcurrency.containment': setting(1, 2),
  'reservedConcurrency.writer': setting(1, 1),
  'reservedConcurrency.quota': setting(2_000, 3_000),
  'networks.*': {
    network: [existing({}), existing({}), existing({}), existing({})],
    networkName: ['inner', 'inner', 'private', 'inner'],
  },
  'networks.*.existing.vpcId': networks(
    existing({}),
    existing({ vpcId: 'vpc-1a1b2c3d' }),
    existing({}),
    existing({}),
  ),
  'networks.*.existing.subnetIds': networks(
    existing({}),
    existing({ subnetIds: ['subnet-1a1b2c3d'] }),
    existing({ subnetIds: ['subnet-1a1b2c3d', 'subnet-2a1b2c3d'] }),
    existing({}),
  ),
  'networks.*.existing.securityGroupIds': networks(
    existing({}),
    existing({ securityGroupIds: ['sg-0a1b2c3d'] }),
    existing({ securityGroupIds: ['sg-1a1b2c3d'] }),
    existing({}),
  ),
  'networks.*.existing.egress.*.to': egress({ to: 'sg-0a1b2c3d' }),
  'networks.*.existing.egress.*.port': egress({ port: 5433 }),
  'networks.*.existing.egress.*.protocol': egress({ protocol: 'udp' }),
  'networks.*.create.cidr': networks(
    made({}),
    made({ cidr: '10.20.0.0/20' }),
    made({ cidr: '10.30.0.0/20' }),
    made({}),
  ),
  'networks.*.create.availabilityZones': networks(
    made({}),
    made({ availabilityZones: 1 }),
    made({ availabilityZones: [`${region}a`, `${region}b`] }),
    made({}),
  ),
  'networks.*.create.ports': networks(made({}), made({ ports: [5432, 3306] }), made({ ports: [] }), made({})),
  'networks.*.create.connect.*.to': networks(
    made({}),
    made({ connect: [{ to: '10.0.0.0/9', vpcId }], cidr: '10.200.0.0/20' }),
    made({
      connect: [...reach.connect, { to: '10.65.0.0/16', vpcId: 'vpc-1a1b2c3d' }],
      egress: [rule(), rule({ to: '10.65.0.0/16' })],
    }),
    made({}),
  ),
  'networks.*.create.connect.*.vpcId': networks(
    made({}),
    made({ connect: [{ to: '10.64.0.0/16', vpcId: 'vpc-1a1b2c3d' }] }),
    made({ connect: [tgw] }),
    made({}),
  ),
  'networks.*.create.connect.*.transitGatewayId': networks(
    made({}),
    made({ connect: [tgw] }),
    made({ connect: [{ ...tgw, transitGatewayId: 'tgw-1a1b2c3d' }] }),
    made({}),
  ),
  'networks.*.create.egress.*.to': inside({ to: '10.64.2.0/24' }),
  'networks.*.create.egress.*.port': inside({ port: 5433 }),
  'networks.*.create.egress.*.protocol': inside({ protocol: 'udp' }),
  'secrets.*': {
    secret: [created('key'), created('key'), created('key'), created('key')],
    key: ['orders', 'orders', 'purchases', 'orders'],
  },
  'secrets.*.type': {
    secret: [
      created('type'),
      {
        ...created('type'),
        // Redshift takes no password without them, whatever the environment leaves out.
        passwords: { excludeNumbers: false, excludeUppercase: false, excludeLowercase: false },
        type: 'redshift',
        create: { name: 'sample/type', fields: { ...login, engine: 'redshift' } },
      },
      with_({ ...created('type'), type: 'generic' }, 'adminSecret', undefined),
      created('type'),
    ],
  },
  'secrets.*.strategy': ofCreated('strategy', [
    'single-user',
    'alternating-users',
    'single-user',
    'alternating-users',
  ]),
  'secrets.*.create.name': ofCreated('create', [
    { name: 'sample/name', fields: login },
    { name: 'sample/other-name', fields: login },
    { name: 'sample/name', fields: login },
    { name: 'sample/name', fields: login },
  ]),
  'secrets.*.create.fields.*': ofCreated('create', [
    { name: 'sample/fields', fields: login },
    { name: 'sample/fields', fields: { ...login, host: 'one', application: 'shop' } },
    { name: 'sample/fields', fields: { ...login, host: 'other', port: 5433 } },
    { name: 'sample/fields', fields: login },
  ]),
  // By name, by full ARN, and of a secret that Rekey created. The way back is refused.
  'secrets.*.adopt': {
    secret: [
      created('adopt'),
      { ...adopted('adopt'), adopt: '/dev/sample/adopt', encryptionKey: keyArn },
      {
        ...adopted('adopt'),
        adopt: arn('secretsmanager', 'secret:/dev/sample/adopt-AbCdEf'),
        encryptionKey: keyArn,
      },
      { ...adopted('adopt'), adopt: '/dev/sample/adopt', encryptionKey: keyArn },
    ],
  },
  'secrets.*.encryptionKey': ofAdopted('encryptionKey', optional(keyArn, otherKeyArn)),
  'secrets.*.rotationFunction': ofAdopted(
    'rotationFunction',
    [
      arn('lambda', 'function:theirs'),
      arn('lambda', 'function:other'),
      arn('lambda', 'function:theirs'),
      arn('lambda', 'function:theirs'),
    ],
    { type: 'external' },
  ),
  'secrets.*.passwords.length': ownRules,
  'secrets.*.passwords.excludeCharacters': ownRules,
  'secrets.*.passwords.excludeNumbers': ownRules,
  'secrets.*.passwords.excludePunctuation': ownRules,
  'secrets.*.passwords.excludeUppercase': ownRules,
  'secrets.*.passwords.excludeLowercase': ownRules,
  'secrets.*.passwords.requireEachIncludedType': ownRules,
  'secrets.*.adminSecret.secret': ofCreated(
    'adminSecret',
    [
      { adopt: 'database-admin' },
      { secret: 'adminsecret-adopt' },
      { secret: 'encryptionkey' },
      { adopt: 'database-admin' },
    ],
    { create: { name: 'sample/admin', fields: login } },
  ),
  'secrets.*.adminSecret.adopt': ofAdopted(
    'adminSecret',
    optional({ adopt: 'admin/one' }, { adopt: 'admin/other' }),
  ),
  'secrets.*.adminSecret.encryptionKey': ofCreated(
    'adminSecret',
    [{ adopt: 'admin/one' }, admins, { ...admins, encryptionKey: otherKeyArn }, { adopt: 'admin/one' }],
    { create: { name: 'sample/admin-key', fields: login } },
  ),
  'secrets.*.identity.username': assigned('username', { username: 'orders' }, { username: 'billing' }),
  'secrets.*.identity.host': assigned('host', { host: 'db.internal' }, { host: 'db.example.com' }),
  'secrets.*.identity.port': assigned('port', { port: 5432 }, { port: 6432 }),
  'secrets.*.identity.ssl': assigned('ssl', { ssl: true }, { ssl: false }),
  'secrets.*.network': ofCreated('network', optional('existing-vpcid', 'existing-subnetids')),
  'secrets.*.owner': ofCreated('owner', ['team-orders', 'team-billing', 'team-stock', 'team-orders']),
  'secrets.*.purpose': ofCreated('purpose', optional('takes orders', 'takes and ships orders')),
  'secrets.*.expires': ofCreated('expires', optional('2036-12-31', '2037-12-31')),
  'secrets.*.consumers': ofCreated('consumers', [
    ['checkout'],
    ['checkout', 'ledger'],
    ['checkout', 'ledger'],
    ['checkout'],
  ]),
  'secrets.*.leadsTo.*.secret': ofCreated(
    'leadsTo',
    optional([{ secret: 'purpose' }], [{ secret: 'owner' }]),
    { create: { name: 'sample/leads', fields: login } },
  ),
  'secrets.*.leadsTo.*.task': ofCreated('leadsTo', optional([{ task: 'End it.' }], [{ task: 'End all.' }]), {
    create: { name: 'sample/lead-task', fields: login },
  }),
  'secrets.*.schedule': ofCreated('schedule', optional('rate(7 days)', 'cron(0 3 1 * ? *)')),
  'secrets.*.maximumAgeDays': ofCreated('maximumAgeDays', optional(100, 200)),
  'secrets.*.rotateOnDeploy': ofCreated('rotateOnDeploy', optional(true, false)),
  'secrets.*.allowPlaintext': ofCreated('allowPlaintext', optional(true, false)),
  'secrets.*.resources': ofAdopted(
    'resources',
    [
      [arn('rds', 'db:orders')],
      [arn('rds', 'db:orders'), arn('rds', 'db:billing')],
      [arn('rds', 'db:billing')],
      [arn('rds', 'db:orders')],
    ],
    { type: 'rds-admin' },
  ),
  'secrets.*.allowPrivateAddresses': ofAdopted('allowPrivateAddresses', optional(true, false), {
    type: 'http',
  }),
  'secrets.*.certificateAuthority': ofCreated('certificateAuthority', optional('one.pem', 'other.pem')),
};

/** The environment of one of the {@link steps}, with the samples of all fields in it. */
export function environmentAt(step: number): Environment {
  const environment: Record<string, unknown> = {};
  const secrets: Record<string, LooseSecretInput> = {};
  const networks: Record<string, NetworkInput> = {};
  const manualSecrets: Record<string, ManualInput> = {};
  for (const [field, sample] of Object.entries<Sample>(samples)) {
    const name = field
      .split('.')
      .slice(2)
      .filter((part) => part !== '*')
      .join('-')
      .toLowerCase();
    const secret = sample.secret?.[step];
    if (secret !== undefined) secrets[sample.key?.[step] ?? name] = secret;
    const network = sample.network?.[step];
    if (network !== undefined) {
      const networkName = sample.networkName?.[step] ?? name.slice(0, 32);
      networks[networkName] = network;
      secrets[`in-${name}`] = { ...created(`in-${name}`), network: networkName };
    }
    const manual = sample.manual?.[step];
    if (manual !== undefined) {
      const adopt = manual.adopt === 'vendor/licence' ? `vendor/${name || 'key'}` : manual.adopt;
      manualSecrets[field === 'manualSecrets.*' ? `key-${step}` : name] = { ...manual, adopt };
    }
    const value = sample.setting?.[step];
    const chosen = field.startsWith('signals.') ? 'ab'.repeat(32) : 'alice';
    if (value !== undefined) put(environment, field.replace('*', chosen).split('.'), value);
  }
  const notifications = { ...(environment.notifications as object | undefined), ...notificationsAt(step) };
  return {
    ...environment,
    consumers: consumersAt(step),
    notifications,
    networks,
    secrets,
    manualSecrets,
  } as unknown as Environment;
}

function put(into: Record<string, unknown>, [key = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) into[key] = value;
  else {
    into[key] = { ...(into[key] as object | undefined) };
    put(into[key] as Record<string, unknown>, rest, value);
  }
}
