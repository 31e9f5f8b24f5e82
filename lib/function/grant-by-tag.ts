import { ArnFormat, Stack, Tags } from 'aws-cdk-lib';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { environmentTag, type services, serviceTag } from '../../core/deployed/names.ts';
import { acknowledgeWildcards } from '../access/acknowledge.ts';

/** A service whose functions act for secrets, and come and go with them. */
export type TargetService = (typeof services)['rotation' | 'containment'];

/** Marks a function as one of an environment and service; {@link grantOnFunctions} tells it by that. */
export function markService(target: IFunction, environment: string, service: TargetService): void {
  Tags.of(target).add(environmentTag, environment);
  Tags.of(target).add(serviceTag, service);
}

/**
 * Lets a role act on whatever functions an environment has for a service, those of a later deploy included.
 *
 * A deploy gives a secret another function before it changes the roles of a later stack. Named one by one, the new function
 * would be out of reach until then, and a revocation does not wait for the end of a deploy.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/attribute-based-access-control.html
 */
export function grantOnFunctions(
  role: IRole,
  {
    environment,
    service,
    ...grant
  }: {
    readonly environment: string;
    readonly service: TargetService;
    readonly sid: string;
    readonly actions: readonly string[];
  },
): void {
  const functions = Stack.of(role).formatArn({
    service: 'lambda',
    resource: 'function',
    resourceName: '*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  role.addToPrincipalPolicy(
    new PolicyStatement({
      sid: grant.sid,
      actions: [...grant.actions],
      resources: [functions],
      conditions: {
        StringEquals: {
          [`aws:ResourceTag/${environmentTag}`]: environment,
          [`aws:ResourceTag/${serviceTag}`]: service,
        },
      },
    }),
  );
  acknowledgeWildcards(
    role,
    [functions],
    'The functions that act for the secrets of the environment, which a condition tells by their tags: a deploy replaces them before it could change this role.',
  );
}
