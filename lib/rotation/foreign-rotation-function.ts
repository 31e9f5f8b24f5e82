import { Arn, ArnFormat, Stack, Token } from 'aws-cdk-lib';
import { type IFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { Strategy } from '../../core/secret/secret.ts';

/** Props of {@link ForeignRotationFunction}. */
export interface ForeignRotationFunctionProps {
  /**
   * ARN of the function, without version or alias. It must be in the stack's account and region, and its own policy must
   * let Secrets Manager invoke it.
   * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
   */
  readonly functionArn: string;
  /** Strategy of the function, for whoever reads about its secrets; nothing is built from it. */
  readonly strategy: Strategy;
}

/**
 * A rotation function that is not Rekey's: one of AWS's own, or one of yours. It brings its own role, network and
 * permission for Secrets Manager; nothing of it is created or changed here.
 *
 * @example
 * const rotation = new ForeignRotationFunction(this, 'Rotation', {
 *   functionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:SecretsManagerOracle', strategy: 'single-user',
 * });
 */
export class ForeignRotationFunction extends Construct {
  readonly type = 'external';
  readonly strategy: Strategy;
  readonly function: IFunction;

  constructor(scope: Construct, id: string, { functionArn, strategy }: ForeignRotationFunctionProps) {
    super(scope, id);
    this.strategy = strategy;
    this.function = LambdaFunction.fromFunctionArn(this, 'Function', functionArn);
    if (Token.isUnresolved(functionArn)) return;
    const own = Stack.of(this);
    const { account, region } = Arn.split(functionArn, ArnFormat.COLON_RESOURCE_NAME);
    for (const [what, is, must] of [
      ['account', account, own.account],
      ['region', region, own.region],
    ] as const) {
      if (!Token.isUnresolved(must) && is !== must) {
        throw new RekeyError(
          'ConstructInvalid',
          `${id}: the rotation function ${functionArn} is in ${what} ${is}, the secret in ${must}; Secrets Manager only invokes functions of its own ${what}`,
        );
      }
    }
  }
}
