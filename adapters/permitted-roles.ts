import { paginateGetParametersByPath, type SSMClient } from '@aws-sdk/client-ssm';
import type { PermittedRoles } from '../core/approval/store.ts';
import { approvalRolesPath } from '../core/deployed/names.ts';
import { awsError } from './aws-error.ts';

/** The roles that deployments let ask or answer, as SSM parameters that each hold one ARN. */
export class SsmPermittedRoles implements PermittedRoles {
  readonly #client: SSMClient;
  readonly #environment: string;

  constructor(client: SSMClient, environment: string) {
    this.#client = client;
    this.#environment = environment;
  }

  async list(what: 'ask' | 'answer'): Promise<readonly string[]> {
    const Path = approvalRolesPath(this.#environment, what);
    const arns: string[] = [];
    try {
      for await (const { Parameters = [] } of paginateGetParametersByPath(
        { client: this.#client },
        { Path },
      )) {
        arns.push(...Parameters.map(({ Value = '' }) => Value));
      }
    } catch (error) {
      throw awsError(error, { service: 'Systems Manager', action: 'ssm:GetParametersByPath', on: Path });
    }
    return arns;
  }
}
