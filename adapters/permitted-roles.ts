import type { SSMClient } from '@aws-sdk/client-ssm';
import type { PermittedRoles } from '../core/approval/store.ts';
import { approvalRolesPath } from '../core/deployed/names.ts';
import { parametersBelow } from './parameters.ts';

/** The roles that deployments let ask or answer, as SSM parameters that each hold one ARN. */
export class SsmPermittedRoles implements PermittedRoles {
  readonly #client: SSMClient;
  readonly #environment: string;

  constructor(client: SSMClient, environment: string) {
    this.#client = client;
    this.#environment = environment;
  }

  async list(what: 'ask' | 'answer'): Promise<readonly string[]> {
    const listed = await parametersBelow(this.#client, approvalRolesPath(this.#environment, what));
    return listed.map(({ value }) => value);
  }
}
