import { expect, test } from '@jest/globals';
import { defineConfig } from '../../lib/config/config.ts';

/** What is said about one environment with these settings. */
function said(settings: object): string {
  try {
    defineConfig({ environments: { dev: { audit: { retentionDays: 30 }, ...settings } as never } });
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
}
const created = (create: object, settings: object = {}) =>
  said({ networks: { own: { create } }, ...settings });
const existing = (more: object) =>
  said({
    networks: { own: { existing: { vpcId: 'vpc-0a1b2c3d', subnetIds: ['subnet-0a1b2c3d'], ...more } } },
  });
const at = 'environments.dev.networks.own.create';
const peer = { to: '10.1.0.0/16', vpcId: 'vpc-0a1b2c3d' };
const toPeer = { to: '10.1.0.0/16', port: 5432 };

test.each([
  [
    'a range that no VPC takes',
    created({ cidr: '10.0.0.0/8' }),
    `${at}.cidr: "10.0.0.0/8": must be from /16 to /26`,
  ],
  ['a range too small for four subnets', created({ cidr: '10.0.0.0/27' }), 'must be from /16 to /26'],
  [
    'a range that begins in its middle',
    created({ cidr: '10.0.1.0/20' }),
    'must begin with the first address',
  ],
  ['no range at all', created({ cidr: '10.0.0.0' }), `${at}.cidr: "10.0.0.0": must be an IPv4 range`],
  [
    'three zones where the region is not known',
    created({ availabilityZones: 3 }),
    `${at}.availabilityZones: 3: not every region has three zones: name the region of the environment, or the zones`,
  ],
  [
    'three zones where most have two',
    created({ availabilityZones: 3 }, { region: 'us-west-1' }),
    'two zones',
  ],
  ['four zones', created({ availabilityZones: 4 }), 'Too big: expected number to be <=3'],
  [
    'a zone of another region',
    created({ availabilityZones: ['us-east-1a'] }, { region: 'eu-central-1' }),
    "us-east-1a is not a zone of the environment's region eu-central-1",
  ],
  ['one zone twice', created({ availabilityZones: ['us-east-1a', 'us-east-1a'] }), 'names a zone twice'],
  [
    'a peer whose range overlaps',
    created({ cidr: '10.1.16.0/20', connect: [peer], egress: [toPeer] }),
    `${at}.connect.0.to: "10.1.0.0/16": overlaps with the new VPC's own range 10.1.16.0/20`,
  ],
  [
    'two ways to one range',
    created({ connect: [peer, { to: '10.1.0.0/16', transitGatewayId: 'tgw-0a1b2c3d' }], egress: [toPeer] }),
    'is the range of connect.0 already',
  ],
  [
    'a way on which nothing may be reached',
    created({ connect: [peer] }),
    `${at}.connect.0.to: "10.1.0.0/16": nothing may be reached there: add { to, port } to \`egress\``,
  ],
  [
    'egress to where no way leads',
    created({ egress: [toPeer] }),
    `${at}.egress.0.to: "10.1.0.0/16": no way leads there: it must lie within 10.0.0.0/20`,
  ],
  [
    'a way without a gateway',
    created({ connect: [{ to: '10.1.0.0/16' }], egress: [toPeer] }),
    'one of `vpcId` and `transitGatewayId`',
  ],
  [
    'rules for a security group that is not made',
    existing({ securityGroupIds: ['sg-0a1b2c3d'], egress: [{ to: '10.0.0.0/8', port: 5432 }] }),
    'networks.own.existing.egress: is for the security group that Rekey makes',
  ],
  [
    'one subnet twice',
    existing({ subnetIds: ['subnet-0a1b2c3d', 'subnet-0a1b2c3d'] }),
    'names a subnet twice',
  ],
  [
    'a protocol other than TCP and UDP',
    existing({ egress: [{ to: '10.0.0.0/8', port: 1, protocol: 'icmp' }] }),
    'protocol',
  ],
])('%s is refused', (_, message, expected) => {
  expect(message).toContain(expected);
});

const secret = {
  type: 'postgresql',
  strategy: 'single-user',
  owner: 'team-orders',
  network: 'own',
  adminSecret: { adopt: 'admin' },
};
const fields = { engine: 'postgres', host: 'db.internal', username: 'orders' };
const inCreated = (settings: object, create: object = {}) =>
  created(create, { secrets: { orders: { ...secret, ...settings } } });

test('a secret that would rotate at the deploy, before its target can be in the new network, is refused', () => {
  const create = { name: 'orders', fields };
  expect(inCreated({ create })).toContain(
    'environments.dev.secrets.orders.network: "own": the first rotation, right at the deploy, would find no target in the new network',
  );
  expect(inCreated({ create, rotateOnDeploy: false })).toBe('accepted');
  expect(inCreated({ create }, { connect: [peer], egress: [toPeer] })).toBe('accepted');
  expect(inCreated({ adopt: 'orders' })).toBe('accepted');
});

test('a type that needs the internet is refused in a created network', () => {
  const key = {
    type: 'iam-access-key',
    strategy: 'dual-credential',
    adminSecret: undefined,
    adopt: 'key',
    resources: ['arn:aws:iam::111122223333:user/app'],
  };
  expect(inCreated(key)).toContain(
    'iam-access-key must reach the API of IAM, which has no endpoint in a VPC, and a network that Rekey creates',
  );
  const http = { type: 'http', adminSecret: undefined, adopt: 'token' };
  expect(inCreated(http)).toContain('http must reach HTTP APIs on the internet');
  expect(inCreated({ ...http, allowPrivateAddresses: true })).toBe('accepted');
  expect(inCreated({ ...key, allowPrivateAddresses: true })).toContain('must reach the API of IAM');
});
