import { describe } from '@jest/globals';
import { secretPolicyOpen as rule } from '../../../../core/template/rules/secret-policy-open.ts';
import { allowing, breaks, holds, plan, ref, resource, secret, stack } from '../support.ts';

const read = 'secretsmanager:GetSecretValue';
const policy = (more: object) =>
  stack({
    A: secret({ Name: 'a' }),
    Policy: resource('AWS::SecretsManager::ResourcePolicy', {
      SecretId: ref('A'),
      ResourcePolicy: allowing(read, '*', { ...more }),
    }),
  });
const planned = (more: object) =>
  plan([
    {
      type: 'aws_secretsmanager_secret_policy',
      name: 'p',
      after: { secret_arn: 'a', policy: JSON.stringify(allowing(read, '*', { ...more })) },
    },
  ]);

describe('SecretPolicyOpen', () => {
  breaks(rule, 'everybody', policy({ Principal: '*' }), [
    ['Policy', /policy of secret a allows every principal/],
  ]);
  breaks(
    rule,
    'everybody among others',
    policy({ Principal: { AWS: ['arn:aws:iam::111122223333:root', '*'] } }),
    [['Policy', /every principal/]],
  );
  breaks(
    rule,
    'a condition that narrows nothing',
    policy({ Principal: '*', Condition: { Bool: { 'aws:SecureTransport': 'true' } } }),
    [['Policy', /every principal/]],
  );
  breaks(
    rule,
    'a condition that lets the rest in',
    policy({ Principal: '*', Condition: { StringNotEquals: { 'aws:PrincipalAccount': '111122223333' } } }),
    [['Policy', /every principal/]],
  );
  breaks(rule, 'everybody but one', policy({ NotPrincipal: { AWS: 'arn:aws:iam::111122223333:root' } }), [
    ['Policy', /every principal/],
  ]);
  breaks(rule, 'everybody in a plan', planned({ Principal: { AWS: '*' } }), [
    ['aws_secretsmanager_secret_policy.p', /every principal/],
  ]);

  holds(
    rule,
    'an account',
    policy({ Principal: { AWS: { 'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:root` } } }),
  );
  holds(
    rule,
    'an organization',
    policy({ Principal: '*', Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-12345' } } }),
  );
  holds(
    rule,
    'a network',
    policy({ Principal: '*', Condition: { StringEquals: { 'aws:SourceVpce': 'vpce-0a1b' } } }),
  );
  holds(
    rule,
    'a refusal for everybody',
    stack({
      Policy: resource('AWS::SecretsManager::ResourcePolicy', {
        SecretId: 'a',
        ResourcePolicy: {
          Statement: [{ Effect: 'Deny', Principal: '*', Action: 'secretsmanager:*', Resource: '*' }],
        },
      }),
    }),
  );
  holds(rule, 'an account in a plan', planned({ Principal: { AWS: '111122223333' } }));
  holds(
    rule,
    'an account, beside a refusal for everybody',
    stack({
      Policy: resource('AWS::SecretsManager::ResourcePolicy', {
        SecretId: 'a',
        ResourcePolicy: {
          Statement: [
            { Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: read, Resource: '*' },
            { Effect: 'Deny', Principal: '*', Action: 'secretsmanager:DeleteSecret', Resource: '*' },
          ],
        },
      }),
    }),
  );
});
