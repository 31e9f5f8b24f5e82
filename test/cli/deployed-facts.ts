import type { DeploymentFacts } from '../../core/operator-ports.ts';
import type { SecretDefinition } from '../../core/secret/definition.ts';

/** Defines a secret as a deployment would. */
export function definition(name: string, more: Partial<SecretDefinition> = {}): SecretDefinition {
  return {
    name,
    arn: `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`,
    type: 'postgresql',
    strategy: 'single-user',
    owner: 'team-orders',
    consumers: ['orders-api', 'orders-batch'],
    schedule: 'rate(30 days)',
    rotationFunction: 'arn:aws:lambda:eu-central-1:111122223333:function:rotation',
    containmentFunction: 'arn:aws:lambda:eu-central-1:111122223333:function:containment',
    ...more,
  };
}

/** What an environment with everything in it has written down. */
export const allFacts: DeploymentFacts = {
  auditBucket: 'audit-bucket',
  auditQueueUrl: 'https://sqs/audit',
  auditDeadLetterQueueUrl: 'https://sqs/audit-dead',
  eventBus: 'rekey-dev',
  revocationWorkflowArn: 'arn:aws:states:eu-central-1:111122223333:stateMachine:revocation',
  planWorkflowArn: 'arn:aws:states:eu-central-1:111122223333:stateMachine:plan',
  planPreviewFunction: 'preview',
  revocationDeadLetterQueueUrl: 'https://sqs/revocation-dead',
  roles: '{"operator":"arn:aws:iam::111122223333:role/operator"}',
  revocationIntakeLogGroup: 'intake',
};
