import { createHash } from 'node:crypto';
import { Lazy, Names, Stack } from 'aws-cdk-lib';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnFunction, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { brakesPath } from '../../core/deployed/names.ts';
import type { rotationEnvironmentSchema } from '../../core/deployed/variables.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { acknowledgeWildcards } from '../access/acknowledge.ts';
import type { StandardFunction } from '../function/standard-function.ts';

/** Number of different secrets, failing in a row, that engages the brake by default. */
export const usualBrakeAfter = 5;

/**
 * Gives a rotation function its brake: where its state stands, how many failures engage it, and which code this is.
 * @param scope - the construct whose path names the brake
 */
export function attachBrake(
  scope: Construct,
  target: StandardFunction<typeof rotationEnvironmentSchema>,
  { environment, after }: { readonly environment: string; readonly after: number },
): void {
  if (!Number.isInteger(after) || after < 2 || after > 10) {
    throw new RekeyError(
      'ConstructInvalid',
      `${scope.node.path}: a brake engages after 2 to 10 secrets, not ${after}`,
    );
  }
  const name = Names.uniqueResourceName(scope, { maxLength: 200, allowedSpecialCharacters: '-' });
  target.setVariable('REKEY_BRAKE', name);
  target.setVariable('REKEY_BRAKE_AFTER', String(after));
  target.setVariable('REKEY_CODE', codeOf(target));
  grantOnBrakes(target.role, `${brakesPath(environment)}/${name}`, { mayDelete: true });
}

/** Lets a role read the states of brakes below a path and put new ones beside the old. It can overwrite none. */
export function grantOnBrakes(role: IRole, path: string, may: { readonly mayDelete: boolean }): void {
  for (const statement of brakeStatements(role, path, may)) role.addToPrincipalPolicy(statement);
  acknowledgeWildcards(
    role,
    [`${brakesArn(role, path)}/*`],
    'The states of a brake are numbered; they hold names and times only.',
  );
}

const brakesArn = (scope: Construct, path: string): string =>
  Stack.of(scope).formatArn({ service: 'ssm', resource: 'parameter', resourceName: path.slice(1) });

/** Writes what {@link grantOnBrakes} allows. */
export function brakeStatements(
  scope: Construct,
  path: string,
  { mayDelete }: { readonly mayDelete: boolean },
): PolicyStatement[] {
  const below = brakesArn(scope, path);
  const allow = (sid: string, actions: string[], resources: string[], conditions = {}) =>
    new PolicyStatement({ sid, actions, resources, conditions });
  return [
    allow('ReadBrake', ['ssm:GetParametersByPath'], [below, `${below}/*`]),
    // Whether the key is there in a request that overwrites nothing is not documented, so only the other one is refused.
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-policy-conditions.html
    allow('SetBrake', ['ssm:PutParameter'], [`${below}/*`], {
      StringNotEquals: { 'ssm:Overwrite': 'true' },
    }),
    ...(mayDelete ? [allow('ForgetBrake', ['ssm:DeleteParameter'], [`${below}/*`])] : []),
  ];
}

/**
 * Identifies the code and the configuration of a function by a text. The text is another one when anything of them changes in
 * the template, and the same one in every synth until then.
 */
function codeOf(target: LambdaFunction): string {
  let asked = false;
  return Lazy.uncachedString({
    produce: () => {
      // The variables are part of what is identified, and this is one of them.
      if (asked) return 'this';
      asked = true;
      try {
        return identify(target);
      } finally {
        asked = false;
      }
    },
  });
}

function identify(target: LambdaFunction): string {
  const resource = target.node.defaultChild;
  if (!(resource instanceof CfnFunction)) {
    throw new RekeyError('ConstructInvalid', `${target.node.path}: not a function of CloudFormation`);
  }
  const { code, environment, vpcConfig, runtime, handler, memorySize, timeout, architectures } = resource;
  const properties = { code, environment, vpcConfig, runtime, handler, memorySize, timeout, architectures };
  const resolved: unknown = Stack.of(target).resolve(properties);
  return createHash('sha256').update(JSON.stringify(resolved)).digest('hex').slice(0, 16);
}
