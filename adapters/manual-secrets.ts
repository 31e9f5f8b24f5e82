import { paginateGetParametersByPath, type SSMClient } from '@aws-sdk/client-ssm';
import { manualSecretsPath } from '../core/deployed/names.ts';
import { RekeyError } from '../core/errors/rekey-error.ts';
import { type ManualSecret, manualSecretSchema } from '../core/lifecycle/manual-secret.ts';
import { awsError } from './aws-error.ts';

/** The secrets that people replace, as SSM parameters, one per secret. */
export class SsmManualSecrets {
  readonly #client: SSMClient;
  readonly #path: string;

  constructor(client: SSMClient, environment: string) {
    this.#client = client;
    this.#path = manualSecretsPath(environment);
  }

  /**
   * Reads all of them.
   * @throws RekeyError `DefinitionInvalid` when a parameter holds something else
   */
  async list(): Promise<readonly ManualSecret[]> {
    const secrets: ManualSecret[] = [];
    try {
      for await (const { Parameters = [] } of paginateGetParametersByPath(
        { client: this.#client },
        { Path: this.#path },
      )) {
        for (const { Name = '', Value = '' } of Parameters) secrets.push(parse(Name, Value));
      }
    } catch (error) {
      throw awsError(error, {
        service: 'Systems Manager',
        action: 'ssm:GetParametersByPath',
        on: this.#path,
      });
    }
    return secrets;
  }
}

function parse(parameter: string, text: string): ManualSecret {
  try {
    return manualSecretSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new RekeyError(
      'DefinitionInvalid',
      `SSM parameter ${parameter} does not hold what is known of a secret that people replace; deploy the app again`,
      { cause: error },
    );
  }
}
