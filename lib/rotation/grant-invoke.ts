import type { IRole } from 'aws-cdk-lib/aws-iam';
import { services } from '../../core/deployed/names.ts';
import { type PolicyPages, sizedArn } from '../access/policy-pages.ts';
import { grantOnFunctions } from '../function/grant-by-tag.ts';
import type { RotatedSecret } from '../secret/rotated-secret.ts';
import { invokeRotation } from './rotation-start.ts';

/**
 * Lets a role have Secrets Manager invoke the functions that rotate. Rekey's are told by their tags, those of apps that join
 * included; others by ARN.
 */
export function grantInvokeRotation(
  role: IRole,
  pages: PolicyPages,
  { environment, secrets }: { readonly environment: string; readonly secrets: readonly RotatedSecret[] },
): void {
  grantOnFunctions(role, {
    ...invokeRotation,
    sid: `${invokeRotation.sid}OfEnvironment`,
    environment,
    service: services.rotation,
  });
  for (const { rotationFunctionArn } of secrets.filter(({ foreign }) => foreign)) {
    pages.add(invokeRotation, sizedArn(rotationFunctionArn));
  }
}
