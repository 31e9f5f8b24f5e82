import { type EvaluationResult, type IAMClient, paginateSimulatePrincipalPolicy } from '@aws-sdk/client-iam';
import { paginateListSecrets, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { asUnquarantined, quarantinePolicyPrefix } from '../core/quarantine/document.ts';
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
   * count, and no quarantine does. Where a condition cannot be known, the secret is listed. Resource policies are not asked for: a
   * secret that only they deny is listed, too, and one that only they allow is not, which the plan leaves to people.
   * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
   */
  async readableBy(principal: string, secrets: readonly SecretDefinition[]): Promise<readonly string[]> {
    const [time] = asUnquarantined;
    const arns = secrets.map(({ arn }) => arn);
    const results = await this.#simulate(principal, arns, [time]);
    const isDenied = ({ EvalDecision }: EvaluationResult) => EvalDecision === 'explicitDeny';
    const denied = results.filter(isDenied);
    // Of a denied secret IAM names the statement that denies alone, and not what would be without it.
    const again = await this.#simulate(principal, denied.flatMap(secretOf), asUnquarantined);
    return [...results.filter((result) => !isDenied(result)), ...again].filter(mayRead).flatMap(secretOf);
  }

  /** Asks IAM what a principal may read, as requests with these values of their context. */
  async #simulate(
    principal: string,
    arns: readonly string[],
    context: readonly (typeof asUnquarantined)[number][],
  ): Promise<readonly EvaluationResult[]> {
    const results: EvaluationResult[] = [];
    for (let index = 0; index < arns.length; index += simulatedAtOnce) {
      const pages = paginateSimulatePrincipalPolicy(
        { client: this.#iam },
        {
          PolicySourceArn: principal,
          ActionNames: ['secretsmanager:GetSecretValue'],
          ResourceArns: arns.slice(index, index + simulatedAtOnce),
          ContextEntries: context.map((entry) => ({
            ...entry,
            ContextKeyValues: [...entry.ContextKeyValues],
          })),
        },
      );
      try {
        for await (const { EvaluationResults = [] } of pages) results.push(...EvaluationResults);
      } catch (error) {
        throw awsError(error, { service: 'IAM', action: 'iam:SimulatePrincipalPolicy', on: principal });
      }
    }
    return results;
  }
}

const secretOf = ({ EvalResourceName }: EvaluationResult): readonly string[] =>
  EvalResourceName === undefined ? [] : [EvalResourceName];

/** Tells whether a principal may read a secret, by an answer of the simulation. In doubt, it may. */
function mayRead({
  EvalDecision,
  MissingContextValues = [],
  MatchedStatements = [],
}: EvaluationResult): boolean {
  if (EvalDecision === 'allowed') return true;
  // A condition that the simulation cannot know may well be met.
  if (EvalDecision === 'implicitDeny') return MissingContextValues.length > 0;
  // IAM names an inline policy `role_<role>_<policy>`. A quarantine that the simulation did not leave out hides the rest.
  return (
    MatchedStatements.length > 0 &&
    MatchedStatements.every(({ SourcePolicyId }) => SourcePolicyId?.includes(`_${quarantinePolicyPrefix}`))
  );
}
