import { describe } from '@jest/globals';
import { grantCrossesEnvironments as rule } from '../../../../core/template/rules/grant-crosses-environments.ts';
import { allowing, breaks, holds, plan, ref, resource, roleWith, stack } from '../support.ts';

const of = (...environments: readonly string[]) =>
  environments.map((one) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:/${one}/orders-??????`);
const read = 'secretsmanager:GetSecretValue';
const tagged = (value: string, key = 'rekey:environment') => ({ Tags: [{ Key: key, Value: value }] });

describe('GrantCrossesEnvironments', () => {
  breaks(
    rule,
    'a role of one environment that reads another',
    stack({ Role: roleWith(allowing(read, of('prod')), tagged('dev')) }),
    [['Role', /role of environment dev is allowed to read secrets of prod/]],
  );
  breaks(
    rule,
    'a statement for two environments',
    stack({ Role: roleWith(allowing(read, of('prod', 'dev'))) }),
    [['Role', /secrets of several environments: dev, prod/]],
  );
  breaks(
    rule,
    'a condition on the tag of another environment',
    stack({
      Role: resource('AWS::IAM::Role', tagged('staging', 'Environment')),
      Policy: resource('AWS::IAM::Policy', {
        Roles: [ref('Role')],
        PolicyDocument: allowing(read, '*', {
          Condition: { StringEquals: { 'aws:ResourceTag/environment': 'prod' } },
        }),
      }),
    }),
    [['Policy', /role of environment staging is allowed to read secrets of prod/]],
  );
  breaks(
    rule,
    'a role in a plan',
    plan([
      {
        type: 'aws_iam_role',
        name: 'app',
        after: {
          name: 'app',
          tags: { environment: 'dev' },
          inline_policy: [{ name: 'p', policy: JSON.stringify(allowing(read, of('prod'))) }],
        },
      },
    ]),
    [['aws_iam_role.app', /dev is allowed to read secrets of prod/]],
  );

  holds(
    rule,
    'a role that reads its own',
    stack({ Role: roleWith(allowing(read, of('prod')), tagged('prod')) }),
  );
  holds(rule, 'a role without environment', stack({ Role: roleWith(allowing(read, of('prod'))) }));
  holds(
    rule,
    'names that begin with no environment',
    stack({ Role: roleWith(allowing(read, of('orders', 'billing')), tagged('dev')) }),
  );
  holds(
    rule,
    'actions that read no value',
    stack({ Role: roleWith(allowing('secretsmanager:DescribeSecret', of('prod', 'dev'))) }),
  );
});
