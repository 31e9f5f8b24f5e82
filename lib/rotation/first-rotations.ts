import { CustomResource, Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct, type IDependable } from 'constructs';
import { services } from '../../core/deployed/names.ts';
import { firstRotationEnvironmentSchema } from '../../core/deployed/variables.ts';
import { PolicyPages, sizedArn } from '../access/policy-pages.ts';
import { StandardFunction } from '../function/standard-function.ts';
import type { SecretIdentity } from '../secret/secret-access.ts';
import { invokeRotation, startRotation } from './rotation-start.ts';

const id = 'FirstRotations';

/** The facts of a secret that its first rotation needs. */
interface FirstRotated {
  /** Name or ARN that the custom resource rotates. */
  readonly secretArn: string;
  readonly identity: SecretIdentity;
  readonly rotationFunctionArn: string;
  readonly rotatesOnDeploy: boolean;
  /** Schedule, which must be set up before. */
  readonly schedule: IDependable;
}

/**
 * Rotates secrets once, when CloudFormation creates them: one function in each stack, and a custom resource for each secret.
 *
 * A schedule's own `RotateImmediatelyOnUpdate` would rotate again whenever the schedule gets another function or another
 * rhythm, and a deploy must not change a credential that is in use.
 */
export class FirstRotations extends Construct {
  readonly function: StandardFunction;
  private readonly pages: PolicyPages;
  private readonly invocations = new PolicyStatement({
    sid: invokeRotation.sid,
    actions: [...invokeRotation.actions],
  });

  private constructor(scope: Construct, environment: string) {
    super(scope, id);
    this.function = new StandardFunction(this, 'Function', {
      entry: 'first-rotation',
      service: services.rotation,
      description: `Rekey ${environment}: starts the first rotation of secrets that a deploy creates`,
      environmentSchema: firstRotationEnvironmentSchema,
      environment: { REKEY_ENVIRONMENT: environment },
      timeout: Duration.minutes(2),
    });
    this.pages = new PolicyPages(this.function.role);
  }

  /** Finds the one of a construct's stack, and makes it when it is first asked for. */
  static of(scope: Construct, environment: string): FirstRotations {
    const stack = Stack.of(scope);
    const known = stack.node.tryFindChild(id);
    return known instanceof FirstRotations ? known : new FirstRotations(stack, environment);
  }

  /**
   * Has a secret rotate once its schedule is set up, unless it says otherwise when it is first deployed. What it says later
   * changes nothing, since only the creation of the resource rotates.
   */
  rotate(scope: Construct, secret: FirstRotated): CustomResource {
    if (secret.rotatesOnDeploy) {
      const { arnPattern, name } = secret.identity;
      this.pages.add(startRotation, sizedArn(arnPattern, name));
      if (this.invocations.resources.length === 0) this.function.role.addToPolicy(this.invocations);
      this.invocations.addResources(secret.rotationFunctionArn);
    }
    const resource = new CustomResource(scope, 'FirstRotation', {
      serviceToken: this.function.functionArn,
      resourceType: 'Custom::RekeyFirstRotation',
      properties: {
        SecretId: secret.secretArn,
        ...(!secret.rotatesOnDeploy && { Rotate: 'never' }),
      },
    });
    resource.node.addDependency(secret.schedule, this.function.role);
    return resource;
  }
}
