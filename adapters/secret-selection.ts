import { type IAMClient, paginateSimulatePrincipalPolicy } from '@aws-sdk/client-iam';
import { paginateListSecrets, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SelectionSources } from '../core/revocation/select.ts';
import type { SecretDefinition } from '../core/secret/definition.ts';
import type { ReadEvidence, TrailMemory } from '../core/trail/ports.ts';
import { awsError } from './aws-error.ts';
import { secretsManagerError } from './secret-errors.ts';

/** ARNs that one simulation is asked about. */
const simulatedAtOnce = 50;

/** The answers of Secrets Manager and IAM that selections take. */
export class AwsSelectionSources implements SelectionSources {
  readonly environment: string;
  readonly #secrets: SecretsManagerClient;
  readonly #iam: IAMClient;
  readonly #reads: Pick<TrailMemory, 'readBy'> | undefined;

  /**
   * Takes the clients.
   * @param reads - memory of who really read; undefined where the environment has no trail
   */
  constructor(
    environment: string,
    secrets: SecretsManagerClient,
    iam: IAMClient,
    reads?: Pick<TrailMemory, 'readBy'>,
  ) {
    this.environment = environment;
    this.#secrets = secrets;
    this.#iam = iam;
    this.#reads = reads;
  }

  /** Asks the memory of the trail. An emergency goes on without its answer, and the plan says so. */
  async readBy(principal: string): Promise<ReadEvidence | 'off' | 'unreadable'> {
    if (this.#reads === undefined) return 'off';
    return await this.#reads.readBy(principal).catch(() => 'unreadable' as const);
  }

  /**
   * Lists the ARNs of the secrets that have a tag. The filters of Secrets Manager match beginnings, and key and value of
   * different tags, so the tags of each are looked at again.
   * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html
   */
  async tagged(key: string, value: string): Promise<readonly string[]> {
    const arns: string[] = [];
    const pages = paginateListSecrets(
      { client: this.#secrets, pageSize: 100 },
      {
        Filters: [
          { Key: 'tag-key', Values: [key] },
          ...(value === '' ? [] : [{ Key: 'tag-value' as const, Values: [value] }]),
        ],
      },
    );
    try {
      for await (const { SecretList = [] } of pages) {
        for (const { ARN, Tags = [] } of SecretList) {
          const has = Tags.some((tag) => tag.Key === key && (tag.Value ?? '') === value);
          if (has && ARN !== undefined) arns.push(ARN);
        }
      }
    } catch (error) {
      throw secretsManagerError(error, 'ListSecrets', `tag ${key}`);
    }
    return arns;
  }

  /**
   * Lists the secrets whose value a principal may read, as IAM works its policies out. Its own, its groups' and its boundary
   * count. Where a condition cannot be known, the secret is listed. Resource policies are not asked for: a secret that only they deny is
   * listed, too, and one that only they allow is not, which the plan leaves to people.
   * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
   */
  async readableBy(principal: string, secrets: readonly SecretDefinition[]): Promise<readonly string[]> {
    const readable: string[] = [];
    for (let index = 0; index < secrets.length; index += simulatedAtOnce) {
      const arns = secrets.slice(index, index + simulatedAtOnce).map(({ arn }) => arn);
      const pages = paginateSimulatePrincipalPolicy(
        { client: this.#iam },
        {
          PolicySourceArn: principal,
          ActionNames: ['secretsmanager:GetSecretValue'],
          ResourceArns: arns,
        },
      );
      try {
        for await (const { EvaluationResults = [] } of pages) {
          for (const { EvalDecision, EvalResourceName, MissingContextValues = [] } of EvaluationResults) {
            // A condition that the simulation cannot know may well be met: where in doubt, it may read it.
            const mayRead =
              EvalDecision === 'allowed' ||
              (EvalDecision === 'implicitDeny' && MissingContextValues.length > 0);
            if (mayRead && EvalResourceName !== undefined) readable.push(EvalResourceName);
          }
        }
      } catch (error) {
        throw awsError(error, { service: 'IAM', action: 'iam:SimulatePrincipalPolicy', on: principal });
      }
    }
    return readable;
  }
}
