import { describe } from '@jest/globals';
import { keyGrantTooBroad as rule } from '../../../../core/template/rules/key-grant-too-broad.ts';
import { allowing, attribute, breaks, holds, plan, resource, roleWith, stack } from '../support.ts';

const role = (action: unknown, on: unknown, more: object = {}) =>
  stack({ Role: roleWith(allowing(action, on, { ...more })), Key: resource('AWS::KMS::Key') });

describe('KeyGrantTooBroad', () => {
  breaks(rule, 'every key', role(['kms:Decrypt'], '*'), [['Role', /kms:Decrypt with every key/]]);
  breaks(rule, 'every key by its ARN', role('kms:*', 'arn:aws:kms:*:*:key/*'), [['Role', /every key/]]);
  breaks(
    rule,
    'every key in a plan',
    plan([
      { type: 'aws_iam_policy', name: 'p', after: { policy: JSON.stringify(allowing('kms:Decrypt', '*')) } },
    ]),
    [['aws_iam_policy.p', /every key/]],
  );

  holds(rule, 'one key', role('kms:Decrypt', attribute('Key', 'Arn')));
  holds(
    rule,
    'one service',
    role('kms:Decrypt', '*', {
      Condition: { StringEquals: { 'kms:ViaService': 'secretsmanager.eu-central-1.amazonaws.com' } },
    }),
  );
  holds(
    rule,
    'keys of an alias',
    role('kms:Decrypt', '*', {
      Condition: { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/orders' } },
    }),
  );
  holds(rule, 'actions that decrypt nothing', role(['kms:DescribeKey', 'kms:ListKeys', 'kms:Encrypt'], '*'));
  holds(
    rule,
    'the policy of a key itself',
    stack({
      Key: resource('AWS::KMS::Key', {
        EnableKeyRotation: true,
        KeyPolicy: allowing('kms:*', '*', { Principal: { AWS: '*' } }),
      }),
    }),
  );
});
