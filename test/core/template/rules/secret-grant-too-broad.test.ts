import { describe } from '@jest/globals';
import { secretGrantTooBroad as rule } from '../../../../core/template/rules/secret-grant-too-broad.ts';
import { allowing, breaks, holds, plan, ref, resource, roleWith, secret, stack } from '../support.ts';

const every = 'arn:aws:secretsmanager:*:*:secret:*';
const role = (action: unknown, on: unknown, more: object = {}) =>
  stack({ Role: roleWith(allowing(action, on, { ...more })), S: secret() });

describe('SecretGrantTooBroad', () => {
  breaks(rule, 'reading on every resource', role('secretsmanager:GetSecretValue', '*'), [
    ['Role', /allows secretsmanager:GetSecretValue on every secret/],
  ]);
  breaks(rule, 'every action', role(['secretsmanager:*'], ['*']), [['Role', /and 4 more actions/]]);
  breaks(rule, 'every secret by its ARN', role('secretsmanager:Get*', every), [['Role', /every secret/]]);
  breaks(
    rule,
    'every secret of this account',
    role('secretsmanager:PutSecretValue', {
      'Fn::Sub': `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:*`,
    }),
    [['Role', /secretsmanager:PutSecretValue/]],
  );
  breaks(rule, 'an administrator', role('*', '*'), [['Role', /every secret/]]);
  breaks(
    rule,
    'a policy of its own, and NotAction',
    stack({
      Role: resource('AWS::IAM::Role'),
      Policy: resource('AWS::IAM::Policy', {
        Roles: [ref('Role')],
        PolicyDocument: { Statement: { Effect: 'Allow', NotAction: 'iam:*', Resource: '*' } },
      }),
    }),
    [['Policy', /every secret/]],
  );
  breaks(
    rule,
    'a policy in a plan',
    plan([
      {
        type: 'aws_iam_role_policy',
        name: 'app',
        after: { role: 'app', policy: JSON.stringify(allowing('secretsmanager:GetSecretValue', '*')) },
      },
    ]),
    [['aws_iam_role_policy.app', /every secret/]],
  );

  holds(rule, 'one secret', role('secretsmanager:GetSecretValue', ref('S')));
  holds(
    rule,
    'a prefix of names',
    role('secretsmanager:GetSecretValue', 'arn:aws:secretsmanager:*:*:secret:/prod/*'),
  );
  holds(
    rule,
    'actions that read no value',
    role(
      [
        'secretsmanager:GetRandomPassword',
        'secretsmanager:ListSecrets',
        'secretsmanager:DescribeSecret',
        'secretsmanager:BatchGetSecretValue',
      ],
      '*',
    ),
  );
  holds(
    rule,
    'a condition on tags',
    role('secretsmanager:GetSecretValue', '*', {
      Condition: { StringEquals: { 'secretsmanager:ResourceTag/team': 'orders' } },
    }),
  );
  holds(
    rule,
    'a resource that only the deploy knows',
    stack(
      { Role: roleWith(allowing('secretsmanager:GetSecretValue', ref('Arn'))) },
      { Parameters: { Arn: { Type: 'String' } } },
    ),
  );
  holds(
    rule,
    'a grant that another statement takes back',
    stack({
      Role: roleWith({
        Statement: [
          { Effect: 'Allow', Action: '*', Resource: '*' },
          { Effect: 'Deny', Action: 'secretsmanager:*', Resource: '*' },
        ],
      }),
    }),
  );
  holds(
    rule,
    'a policy that the plan does not know yet',
    plan([
      {
        type: 'aws_iam_role_policy',
        name: 'app',
        after: {},
        unknown: { policy: true },
        refers: { policy: ['data.aws_iam_policy_document.app.json'] },
      },
    ]),
  );
});
