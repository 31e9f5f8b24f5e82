import { describe, expect, test } from '@jest/globals';
import { Duration } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { ContainmentFunction } from '../../lib/constructs/containment-function.ts';
import { RotatedSecret } from '../../lib/constructs/rotated-secret.ts';
import { RotationFunction } from '../../lib/constructs/rotation-function.ts';
import { testStack } from './support/app.ts';

describe('a secret whose target accepts two credentials', () => {
  const secretWith = (kind: { type: 'redis'; strategy: 'single-user' | 'dual-credential' }) => {
    const { stack, bus, auditQueue } = testStack();
    const shared = { environment: 'test', ...kind, bus, auditQueue } as const;
    const rotation = new RotationFunction(stack, 'Rotation', { ...shared, overlap: Duration.hours(6) });
    new RotatedSecret(stack, 'Orders', {
      environment: 'test',
      secret: { adopt: { id: 'orders' } },
      rotation,
      containment: new ContainmentFunction(stack, 'Containment', shared),
      owner: 'team-orders',
    });
    return Template.fromStack(stack);
  };

  test('has its function asked every hour whether the overlap is over', () => {
    const template = secretWith({ type: 'redis', strategy: 'dual-credential' });
    const [rule] = Object.values(
      template.findResources('AWS::Events::Rule', { Properties: { ScheduleExpression: 'rate(1 hour)' } }),
    );
    expect(rule?.Properties).toMatchObject({
      Name: expect.stringMatching(/^rekey-test-overlap-[0-9a-f]{16}$/),
      Targets: [
        {
          Arn: { 'Fn::GetAtt': [expect.stringMatching(/^RotationFunction/), 'Arn'] },
          Input: '{"RetirePrevious":"arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders"}',
        },
      ],
    });
    template.hasResourceProperties('AWS::Lambda::Permission', {
      Principal: 'events.amazonaws.com',
      SourceArn: 'arn:aws:events:eu-central-1:111122223333:rule/rekey-test-overlap-*',
    });
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ REKEY_OVERLAP_HOURS: '6', REKEY_GRACE_HOURS: '24' }) },
    });
  });

  test('is the only kind that has such a schedule', () => {
    const template = secretWith({ type: 'redis', strategy: 'single-user' });
    template.resourcePropertiesCountIs('AWS::Events::Rule', { ScheduleExpression: 'rate(1 hour)' }, 0);
  });
});
