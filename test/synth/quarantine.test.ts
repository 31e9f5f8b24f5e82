import { describe, expect, test } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Quarantine, RekeyBus } from '../../lib/index.ts';
import { statements, testApp } from './support/app.ts';

const account = '111122223333';
const role = `arn:aws:iam::${account}:role/app-*`;
const user = `arn:aws:iam::${account}:user/ci`;

function template(...principals: [string, ...string[]]): Template {
  const stack = new Stack(testApp(), 'stack', { env: { account, region: 'eu-central-1' } });
  const bus = new RekeyBus(stack, 'Bus', { environment: 'prod' });
  new Quarantine(stack, 'Quarantine', { bus, auditQueue: new Queue(stack, 'Queue'), principals });
  return Template.fromStack(stack);
}

describe('the function that quarantines', () => {
  test('writes policies of what is named, and never of what is Rekey’s', () => {
    const all = statements(template(role, user), /^QuarantineFunction/);
    const of = (sid: string) => all.find(({ Sid }) => Sid === sid);
    expect(of('QuarantineRoles')).toMatchObject({
      Action: ['iam:DeleteRolePolicy', 'iam:GetRole', 'iam:PutRolePolicy'],
      Resource: role,
    });
    expect(of('QuarantineUsers')).toMatchObject({
      Action: ['iam:DeleteUserPolicy', 'iam:GetUser', 'iam:PutUserPolicy'],
      Resource: user,
    });
    expect(of('NeverRekey')).toMatchObject({
      Effect: 'Deny',
      Resource: '*',
      Condition: { Null: { 'aws:ResourceTag/rekey:environment': 'false' } },
    });
    expect(of('Remember')).toMatchObject({ Action: ['dynamodb:GetItem', 'dynamodb:UpdateItem'] });
  });

  test('may do nothing with users where none is named', () => {
    const all = statements(template(role), /^QuarantineFunction/);
    expect(all.some(({ Sid }) => Sid === 'QuarantineUsers')).toBe(false);
  });

  test('is asked over the bus, within an hour, and by no replay', () => {
    template(role).hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        'detail-type': ['Principal Quarantine Requested', 'Principal Quarantine Lift Requested'],
        'replay-name': [{ exists: false }],
      },
    });
    template(role).hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      MaximumEventAgeInSeconds: 3_600,
      MaximumRetryAttempts: 2,
    });
  });

  test('is refused at synth with a pattern of everybody', () => {
    expect(() => template(`arn:aws:iam::${account}:role/*`)).toThrow(/must name at least two letters/);
    expect(() => template(...(Array.from({ length: 21 }, () => role) as [string]))).toThrow(/the most is 20/);
  });
});
