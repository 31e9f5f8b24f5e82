import { GetParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { definitionParameter, definitionsPath, sameSecret } from '../core/deployed/names.ts';
import { RekeyError } from '../core/errors/rekey-error.ts';
import type { DefinitionStore, KnownDefinitions, ValidDefinitions } from '../core/ports.ts';
import { type SecretDefinition, secretDefinitionSchema } from '../core/secret/definition.ts';
import { awsError } from './aws-error.ts';
import { parametersBelow } from './parameters.ts';

/**
 * The definitions as SSM parameters, one per secret.
 * @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 */
export class SsmDefinitionStore implements DefinitionStore, ValidDefinitions {
  readonly #client: SSMClient;
  readonly #environment: string;

  constructor(client: SSMClient, environment: string) {
    this.#client = client;
    this.#environment = environment;
  }

  /**
   * Finds a definition by the secret's name or ARN.
   * @throws RekeyError `DefinitionInvalid` when the parameter does not hold a definition
   */
  async find(secret: string): Promise<SecretDefinition | undefined> {
    if (!secret.startsWith('arn:')) {
      return this.#get(secret);
    }
    for (const name of namesInArn(secret)) {
      const definition = await this.#get(name);
      if (definition !== undefined && sameSecret(definition.arn, secret)) {
        return definition;
      }
    }
    return undefined;
  }

  /**
   * Reads the definitions of all secrets.
   * @throws RekeyError `DefinitionInvalid` when a parameter does not hold a definition
   */
  async list(): Promise<readonly SecretDefinition[]> {
    const listed = await parametersBelow(this.#client, definitionsPath(this.#environment));
    return listed.map(({ name, value }) => parse(name, value));
  }

  /** Reads the definitions of all secrets, and names the parameters that hold none. */
  async listValid(): Promise<KnownDefinitions> {
    const definitions: SecretDefinition[] = [];
    const invalid: string[] = [];
    for (const { name, value } of await parametersBelow(this.#client, definitionsPath(this.#environment))) {
      try {
        definitions.push(parse(name, value));
      } catch (error) {
        if (!(error instanceof RekeyError)) throw error;
        invalid.push(name);
      }
    }
    return { definitions, invalid };
  }

  async #get(name: string): Promise<SecretDefinition | undefined> {
    const parameter = definitionParameter(this.#environment, name);
    try {
      const found = await this.#client.send(new GetParameterCommand({ Name: parameter }));
      return parse(parameter, found.Parameter?.Value ?? '');
    } catch (error) {
      const code = error instanceof Error ? error.name : '';
      // A name that is too long for a parameter belongs to no definition either.
      if (code === 'ParameterNotFound' || code === 'ValidationException') {
        return undefined;
      }
      throw awsError(error, { service: 'Systems Manager', action: 'ssm:GetParameter', on: parameter });
    }
  }
}

function parse(parameter: string, text: string): SecretDefinition {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const parsed = secretDefinitionSchema.safeParse(json);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join('.') || 'value').join(', ');
    throw new RekeyError(
      'DefinitionInvalid',
      `SSM parameter ${parameter} does not hold a secret's definition (${fields}); deploy the app again`,
    );
  }
  return parsed.data;
}

/**
 * Lists the names that an ARN may stand for. Secrets Manager adds a hyphen and six characters to the name, and a partial ARN
 * goes without.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
 */
function namesInArn(arn: string): string[] {
  const name = arn.split(':').slice(6).join(':');
  const withoutSuffix = /^(.+)-[A-Za-z0-9]{6}$/.exec(name)?.[1];
  return [...(withoutSuffix === undefined ? [] : [withoutSuffix]), name].filter(Boolean);
}
