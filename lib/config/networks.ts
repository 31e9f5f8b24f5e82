import type { AwsApi, SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { registry } from '../../rotators/registry.ts';
import { isCanonical, isWithin, overlap, prefixOf } from './cidr.ts';
import type { Problem } from './problem.ts';
import type {
  CreatedNetworkConfiguration,
  LooseEnvironment,
  LooseSecret,
  NetworkConfiguration,
} from './schema.ts';

/** Finds what EC2 would refuse of an environment's networks, and what could reach nothing. */
export const checkNetworks = ({ networks, region }: LooseEnvironment): Problem[] =>
  Object.entries(networks).flatMap(([name, network]) =>
    checkNetwork(network, region).map(({ path, message }) => ({
      path: ['networks', name, ...path],
      message,
    })),
  );

/** Finds what EC2 would refuse of one network. Constructs hold to the same. */
export const checkNetwork = (network: NetworkConfiguration, region: string | undefined): Problem[] =>
  'existing' in network
    ? checkExisting(network.existing)
    : checkCreated(network.create, region).map(({ path, message }) => ({
        path: ['create', ...path],
        message,
      }));

/** Refuses egress rules beside security groups of one's own, where they would have no effect. */
const checkExisting = ({
  egress,
  securityGroupIds,
}: Extract<NetworkConfiguration, { existing: object }>['existing']): Problem[] =>
  securityGroupIds === undefined || egress.length === 0
    ? []
    : [
        {
          path: ['existing', 'egress'],
          message:
            'is for the security group that Rekey makes; leave it out, or leave out securityGroupIds, whose rules are yours',
        },
      ];

function checkCreated(network: CreatedNetworkConfiguration, region: string | undefined): Problem[] {
  const { cidr, connect, egress } = network;
  const problems: Problem[] = [...checkZones(network, region)];
  // A VPC has from /16 to /28; each subnet is a quarter, and the smallest subnet is a /28.
  if (prefixOf(cidr) < 16 || prefixOf(cidr) > 26) {
    problems.push({
      path: ['cidr'],
      message: 'must be from /16 to /26: each zone gets a quarter, of at least 16 addresses',
    });
  }
  if (!isCanonical(cidr)) {
    problems.push({ path: ['cidr'], message: 'must begin with the first address of the range' });
  }
  for (const [index, { to }] of connect.entries()) {
    const path = ['connect', index, 'to'];
    if (!isCanonical(to)) {
      problems.push({ path, message: 'must begin with the first address of the range' });
    }
    if (overlap(to, cidr)) {
      problems.push({
        path,
        message: `overlaps with the new VPC's own range ${cidr}: give \`cidr\` another one`,
      });
    }
    const other = connect.findIndex((connection) => connection.to === to);
    if (other < index) {
      problems.push({ path, message: `is the range of connect.${other} already; a range has one way` });
    }
    const reached = egress.some((rule) => rule.to.startsWith('sg-') || overlap(rule.to, to));
    if (!reached) {
      problems.push({ path, message: 'nothing may be reached there: add { to, port } to `egress`' });
    }
  }
  for (const [index, { to }] of egress.entries()) {
    const there = [cidr, ...connect.map((connection) => connection.to)];
    if (!to.startsWith('sg-') && !there.some((range) => isWithin(to, range))) {
      problems.push({
        path: ['egress', index, 'to'],
        message: `no way leads there: it must lie within ${there.join(' or ')}; add the way to \`connect\``,
      });
    }
  }
  return problems;
}

function checkZones(
  { availabilityZones }: CreatedNetworkConfiguration,
  region: string | undefined,
): Problem[] {
  const path = ['availabilityZones'];
  if (typeof availabilityZones !== 'number') {
    const foreign = availabilityZones.find((zone) => region !== undefined && zone.slice(0, -1) !== region);
    return foreign === undefined
      ? []
      : [{ path, message: `${foreign} is not a zone of the environment's region ${region}` }];
  }
  // Every region has two zones for everybody; a third is missing in some, and to some accounts.
  if (availabilityZones === 3 && (region === undefined || region === 'us-west-1')) {
    return [
      {
        path,
        message:
          region === undefined
            ? 'not every region has three zones: name the region of the environment, or the zones'
            : `${region} gives most accounts two zones: take 2, or name the zones`,
      },
    ];
  }
  return [];
}

/** Finds what a secret's functions could not do in a network that Rekey creates. */
export function checkReach(secret: LooseSecret, { networks }: LooseEnvironment): Problem[] {
  const network = secret.network === undefined ? undefined : networks[secret.network];
  if (network === undefined || !('create' in network)) return [];
  const { needsInternet }: SecretTypeDescriptor = registry[secret.type];
  const inside = needsInternet?.unlessPrivate === true && secret.allowPrivateAddresses;
  if (needsInternet !== undefined && !inside) {
    return [
      {
        path: ['network'],
        message: `${secret.type} must reach ${needsInternet.for}, and a network that Rekey creates has no way there: name an existing one with a NAT gateway, or none`,
      },
    ];
  }
  const rotatesAtOnce = secret.rotateOnDeploy ?? secret.create !== undefined;
  if (secret.create !== undefined && rotatesAtOnce && network.create.connect.length === 0) {
    return [
      {
        path: ['network'],
        message: `the first rotation, right at the deploy, would find no target in the new network: say in networks.${secret.network}.create.connect where the target is, name an existing network, or set rotateOnDeploy to false and rotate when the target is there`,
      },
    ];
  }
  return [];
}

/** Lists the APIs that a network's functions call beyond those that every function calls. */
export function apisOf(network: string, secrets: Readonly<Record<string, LooseSecret>>): readonly AwsApi[] {
  const apis = Object.values(secrets)
    .filter((secret) => secret.network === network)
    .flatMap(({ type, resources }) => {
      const { apis: all = [] }: SecretTypeDescriptor = registry[type];
      const services = new Set(resources.map((arn) => arn.split(':')[2]));
      return services.size === 0 ? all : all.filter((api) => services.has(api));
    });
  return [...new Set(apis)].toSorted();
}
