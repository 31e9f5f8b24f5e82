import { DescribeParametersCommand, GetParametersByPathCommand, type SSMClient } from '@aws-sdk/client-ssm';
import {
  deploymentParameters,
  deploymentPath,
  networkParameter,
  networkStackName,
} from '../../core/deployed/names.ts';
import type { DeployedNetwork, DeploymentFacts, Deployments } from '../../core/operator-ports.ts';

/**
 * The facts that deployments wrote down in SSM.
 * @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html
 */
export class SsmDeployments implements Deployments {
  readonly #client: SSMClient;

  constructor(client: SSMClient) {
    this.#client = client;
  }

  async environments(): Promise<readonly string[]> {
    const names = new Set<string>();
    let next: string | undefined;
    do {
      const page = await this.#client.send(
        new DescribeParametersCommand({
          ParameterFilters: [
            { Key: 'Path', Option: 'Recursive', Values: ['/rekey'] },
            { Key: 'Name', Option: 'Contains', Values: [`/deployment/${deploymentParameters.eventBus}`] },
          ],
          MaxResults: 50,
          ...(next !== undefined && { NextToken: next }),
        }),
      );
      for (const { Name = '' } of page.Parameters ?? []) {
        const [, root, environment, kind] = Name.split('/');
        if (root === 'rekey' && environment !== undefined && kind === 'deployment') {
          names.add(environment);
        }
      }
      next = page.NextToken;
    } while (next !== undefined);
    return [...names].sort();
  }

  async facts(environment: string): Promise<DeploymentFacts> {
    const values = await this.#values(environment);
    return Object.fromEntries(
      Object.entries(deploymentParameters)
        .map(([key, segment]) => [key, values.get(segment)] as const)
        .filter(([, value]) => value !== undefined),
    );
  }

  async networks(environment: string): Promise<readonly DeployedNetwork[]> {
    const prefix = networkParameter('');
    return [...(await this.#values(environment))].flatMap(([segment, securityGroup]) =>
      segment.startsWith(prefix)
        ? [{ stack: networkStackName(environment, segment.slice(prefix.length)), securityGroup }]
        : [],
    );
  }

  /** Reads the values below a path, by the last segment of their parameters. */
  async #values(environment: string): Promise<ReadonlyMap<string, string>> {
    const path = deploymentPath(environment);
    const values = new Map<string, string>();
    let next: string | undefined;
    do {
      const page = await this.#client.send(
        new GetParametersByPathCommand({ Path: path, ...(next !== undefined && { NextToken: next }) }),
      );
      for (const { Name = '', Value } of page.Parameters ?? []) {
        if (Value !== undefined) {
          values.set(Name.slice(path.length + 1), Value);
        }
      }
      next = page.NextToken;
    } while (next !== undefined);
    return values;
  }
}
