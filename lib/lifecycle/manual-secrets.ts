import type { Duration } from 'aws-cdk-lib';
import { Stack } from 'aws-cdk-lib';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import { manualSecretsPath } from '../../core/deployed/names.ts';
import type { ManualSecret } from '../../core/lifecycle/manual-secret.ts';
import { wholeNumber } from '../foundation/whole-number.ts';

/** A secret that a person replaces, since nothing rotates it. */
export interface ManualSecretProps {
  /** Name or full ARN of the secret. */
  readonly secret: string;
  /** Team or person that is reminded. */
  readonly owner: string;
  /** Sentence that says what the secret is for. */
  readonly purpose: string;
  /** Workloads that read the secret. @default - none */
  readonly consumers?: readonly string[];
  /** Longest time between two replacements, in whole days. */
  readonly replaceEvery: Duration;
  /** Last day on which it is needed, as `2027-03-31`. @default - it is needed for good */
  readonly expires?: string;
}

/** Writes the parameter from which the function of the lifecycle knows such a secret. */
export function writeManualSecret(
  scope: Construct,
  {
    environment,
    name,
    manual,
  }: { readonly environment: string; readonly name: string; readonly manual: ManualSecretProps },
): void {
  const { secret, owner, purpose, consumers = [], replaceEvery, expires } = manual;
  const text: ManualSecret = {
    name: secret,
    // Secrets Manager takes a name in place of an ARN, but for one that ends like the suffix of an ARN.
    arn: secret,
    owner,
    purpose,
    consumers: [...consumers],
    replaceEveryDays: wholeNumber('days', replaceEvery, { id: name, prop: 'replaceEvery', atLeast: 1 }),
    ...(expires !== undefined && { expires }),
  };
  new StringParameter(scope, `Manual-${name}`, {
    parameterName: `${manualSecretsPath(environment)}/${name}`,
    simpleName: false,
    description: `Rekey ${environment}: a secret that a person replaces`,
    stringValue: Stack.of(scope).toJsonString(text),
  });
}
