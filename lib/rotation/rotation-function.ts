import { type Duration, Stack } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { services } from '../../core/deployed/names.ts';
import { type FunctionEnvironment, rotationEnvironmentSchema } from '../../core/deployed/variables.ts';
import type { RotatedType } from '../../rotators/registry.ts';
import { wholeNumber } from '../foundation/whole-number.ts';
import { TargetFunction, type TargetFunctionProps, targetEnvironment } from '../function/target-function.ts';
import { DefinitionAccess } from '../secret/definition-access.ts';
import type { SecretIdentity } from '../secret/secret-access.ts';
import { attachBrake, usualBrakeAfter } from './brake-access.ts';
import { OverlapRule } from './overlap-rule.ts';

/** Props of {@link RotationFunction}. */
export interface RotationFunctionProps extends TargetFunctionProps {
  readonly type: RotatedType;
  /**
   * Password rules under the names that AWS's own rotation functions use, `PASSWORD_LENGTH` and so on.
   * @default - 32 characters of all types without : / @ " ' \
   * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html
   */
  readonly passwordEnvironment?: Readonly<Record<string, string>>;
  /**
   * Time for which a `dual-credential` target goes on accepting the credential before the current one.
   * @default Duration.hours(24)
   */
  readonly overlap?: Duration;
  /**
   * Number of different secrets, failing in a row, that engages the brake. New code begins with one rotation. 0: the function
   * has no brake.
   * @default 5
   */
  readonly brakeAfter?: number;
  /**
   * Time after the overlap until a disabled credential is removed, where the target can disable.
   * @default Duration.hours(24)
   */
  readonly grace?: Duration;
}

/**
 * Answers Secrets Manager's rotation steps for secrets of one type and strategy in one network. Its role can read and
 * write the secrets that are attached to it by name, read the admin secrets that are named, and announce what it did.
 *
 * @example
 * const rotation = new RotationFunction(this, 'Rotation', {
 *   type: 'postgresql', strategy: 'single-user', bus, auditQueue: log.queue,
 *   network: { vpc, securityGroups: [toDatabase] },
 * });
 */
export class RotationFunction extends TargetFunction<typeof rotationEnvironmentSchema> {
  private readonly definitions: DefinitionAccess;
  private overlaps: OverlapRule | undefined;

  constructor(scope: Construct, id: string, props: RotationFunctionProps) {
    super(scope, id, props, {
      service: services.rotation,
      environmentSchema: rotationEnvironmentSchema,
      environment: {
        ...targetEnvironment(props),
        ...(props.strategy === 'dual-credential' && overlapEnvironment(id, props)),
      },
      description: `Rekey ${props.bus.environment}: rotates ${props.type} secrets, ${props.strategy}`,
      announces: [
        'Secret Rotation Started',
        'Secret Rotation Succeeded',
        'Secret Rotation Failed',
        'Credential Retirement Started',
        'Credential Retired',
        'Finding Raised',
        'Rotation Function Braked',
      ],
      secretActions: [
        'secretsmanager:DescribeSecret',
        'secretsmanager:GetSecretValue',
        'secretsmanager:ListSecretVersionIds',
        'secretsmanager:PutSecretValue',
        'secretsmanager:UpdateSecretVersionStage',
      ],
      keyActions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      ...(props.passwordEnvironment !== undefined && { extraEnvironment: props.passwordEnvironment }),
    });
    this.definitions = new DefinitionAccess(this.function.role, this.pages);
    // Without the account condition, a secret of any other account could have this function work for it.
    this.function.addPermission('SecretsManager', {
      principal: new ServicePrincipal('secretsmanager.amazonaws.com'),
      sourceAccount: Stack.of(this).account,
    });
    const { bus, brakeAfter: after = usualBrakeAfter } = props;
    if (after !== 0) attachBrake(this, this.function, { environment: bus.environment, after });
  }

  /**
   * Lets the function read a definition, and write what it says into a secret that was created; done by
   * {@link RotatedSecret}.
   */
  attachDefinition(parameterName: string, created: SecretIdentity | undefined): void {
    this.definitions.add(parameterName, created);
  }

  /** Has the function asked every hour whether the overlap of a secret is over; done by {@link RotatedSecret}. */
  attachOverlap(secretName: string): void {
    this.overlaps ??= new OverlapRule(this, 'Overlaps', {
      environment: this.bus.environment,
      type: this.type,
      function: this.function,
    });
    this.overlaps.add(secretName);
  }
}

type Hours = 'REKEY_OVERLAP_HOURS' | 'REKEY_GRACE_HOURS';

function overlapEnvironment(
  id: string,
  props: RotationFunctionProps,
): Pick<FunctionEnvironment<typeof rotationEnvironmentSchema>, Hours> {
  const hours = (prop: 'overlap' | 'grace', time: Duration | undefined): string =>
    String(time === undefined ? 24 : wholeNumber('hours', time, { id, prop }));
  return {
    REKEY_OVERLAP_HOURS: hours('overlap', props.overlap),
    REKEY_GRACE_HOURS: hours('grace', props.grace),
  };
}
