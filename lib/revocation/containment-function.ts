import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { services } from '../../core/deployed/names.ts';
import { containmentEnvironmentSchema } from '../../core/deployed/variables.ts';
import type { SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { registry } from '../../rotators/registry.ts';
import { TargetFunction, type TargetFunctionProps, targetEnvironment } from '../function/target-function.ts';
import { SessionCutoffFunction } from './session-cutoff-function.ts';

/**
 * Cuts leaked credentials off at their target and proves that they are dead. It is what a revocation calls for that, as
 * Secrets Manager calls the {@link RotationFunction}. It serves secrets of one type and strategy in one network. Its role reads
 * secrets, but can write none and grant no permission.
 */
export class ContainmentFunction extends TargetFunction<typeof containmentEnvironmentSchema> {
  /** Function that ends sessions for it, where the type's permission for that could grant others. */
  readonly sessionCutoff: SessionCutoffFunction | undefined;

  constructor(scope: Construct, id: string, props: TargetFunctionProps) {
    super(scope, id, props, {
      service: services.containment,
      environmentSchema: containmentEnvironmentSchema,
      environment: targetEnvironment(props),
      description: `Rekey ${props.bus.environment}: cuts off leaked ${props.type} credentials, ${props.strategy}`,
      announces: ['Credential Contained', 'Finding Raised'],
      secretActions: [
        'secretsmanager:DescribeSecret',
        'secretsmanager:GetSecretValue',
        'secretsmanager:ListSecretVersionIds',
      ],
      keyActions: ['kms:Decrypt'],
    });
    const { aws }: SecretTypeDescriptor = registry[props.type];
    if (aws?.sessionCutoff !== undefined) {
      this.sessionCutoff = new SessionCutoffFunction(this, 'SessionCutoff', {
        environment: props.bus.environment,
        type: props.type,
        actions: aws.sessionCutoff,
        ...(props.logRetention !== undefined && { logRetention: props.logRetention }),
        ...(props.reservedConcurrency !== undefined && { reservedConcurrency: props.reservedConcurrency }),
      });
      this.mayInvoke(this.sessionCutoff);
    }
  }

  override attachResources(arns: readonly string[]): void {
    super.attachResources(arns);
    this.sessionCutoff?.attachResources(arns);
  }

  private mayInvoke({ function: { functionArn, functionName } }: SessionCutoffFunction): void {
    this.function.setVariable('REKEY_SESSION_CUTOFF_FUNCTION', functionName);
    this.function.role.addToPolicy(
      new PolicyStatement({
        sid: 'EndSessions',
        actions: ['lambda:InvokeFunction'],
        resources: [functionArn],
      }),
    );
  }
}
