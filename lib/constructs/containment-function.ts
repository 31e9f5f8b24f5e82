import type { Construct } from 'constructs';
import { services } from '../../core/names.ts';
import { containmentEnvironmentSchema } from '../../lambdas/shared/environment.ts';
import { TargetFunction, type TargetFunctionProps } from './target-function.ts';

/**
 * Cuts leaked credentials off at their target and proves that they are dead, for secrets of one type and strategy in
 * one network. Its role reads secrets but can never write one.
 */
export class ContainmentFunction extends TargetFunction {
  constructor(scope: Construct, id: string, props: TargetFunctionProps) {
    super(scope, id, props, {
      service: services.containment,
      environmentSchema: containmentEnvironmentSchema,
      description: `Rekey ${props.environment}: cuts off leaked ${props.type} credentials, ${props.strategy}`,
      secretActions: [
        'secretsmanager:DescribeSecret',
        'secretsmanager:GetSecretValue',
        'secretsmanager:ListSecretVersionIds',
      ],
      keyActions: ['kms:Decrypt'],
    });
  }
}
