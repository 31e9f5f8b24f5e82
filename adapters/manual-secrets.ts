import type { SSMClient } from '@aws-sdk/client-ssm';
import { manualSecretsPath } from '../core/deployed/names.ts';
import { RekeyError } from '../core/errors/rekey-error.ts';
import { type ManualSecret, manualSecretSchema } from '../core/lifecycle/manual-secret.ts';
import { parametersBelow } from './parameters.ts';

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
    const listed = await parametersBelow(this.#client, this.#path);
    return listed.map(({ name, value }) => parse(name, value));
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
