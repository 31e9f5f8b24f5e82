import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { networkParameter } from '../../core/deployed/names.ts';
import type { NetworkConfiguration } from '../config/schema.ts';
import { identityOf } from '../config/shards/identity.ts';
import { writeDeploymentParameters } from '../foundation/deployment-parameters.ts';
import { Network, type NetworkProps } from './network.ts';

/** Props of {@link NetworkStack}. */
export interface NetworkStackProps extends StackProps, NetworkProps {
  readonly environment: string;
  /** Names the network in the names of its parts, by {@link networkPart}. */
  readonly part: string;
}

/**
 * Holds what Rekey makes for one network.
 *
 * A network that is no longer configured, or is replaced by another one, keeps its stack until somebody deletes that. The
 * functions leave it in later stacks of the same deploy, and stay in it if that deploy fails.
 */
export class NetworkStack extends Stack {
  readonly network: Network;

  constructor(scope: Construct, id: string, props: NetworkStackProps) {
    super(scope, id, props);
    this.network = new Network(this, 'Network', props);
    const { environment, part } = props;
    const [group] = this.network.attachment.securityGroups ?? [];
    if (group !== undefined) {
      // `rekey doctor` tells by it whether a function is left in the network.
      writeDeploymentParameters(this, environment, { [networkParameter(part)]: group.securityGroupId });
    }
  }
}

/** Tells whether Rekey makes anything for a network: a VPC, or a security group in an existing one. */
export const isMade = (network: NetworkConfiguration): boolean =>
  'create' in network || network.existing.securityGroupIds === undefined;

/**
 * Names a network's stack: by its key, and a hash of what cannot change while functions are in it. A change of that makes
 * another stack beside the former one.
 */
export function networkPart(name: string, network: NetworkConfiguration): string {
  const lasting =
    'existing' in network ? network.existing.vpcId : [network.create.cidr, network.create.availabilityZones];
  return `${name}-${identityOf(lasting)}`;
}
