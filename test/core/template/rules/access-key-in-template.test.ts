import { describe, expect, test } from '@jest/globals';
import { checkTemplates } from '../../../../core/template/check.ts';
import { accessKeyInTemplate as rule } from '../../../../core/template/rules/access-key-in-template.ts';
import { breaks, holds, plan, ref, resource, stack } from '../support.ts';

const keyOf = (UserName: string) =>
  stack({
    User: resource('AWS::IAM::User', { UserName }),
    Key: resource('AWS::IAM::AccessKey', { UserName: ref('User') }),
  });

describe('AccessKeyInTemplate', () => {
  breaks(rule, 'a key', keyOf('mailer'), [['Key', /access key of user mailer/]]);
  breaks(
    rule,
    'a key in a plan',
    plan([
      { type: 'aws_iam_user', name: 'u', after: { name: 'mailer' } },
      {
        type: 'aws_iam_access_key',
        name: 'k',
        after: { user: 'mailer' },
        refers: { user: ['aws_iam_user.u.name', 'aws_iam_user.u'] },
      },
    ]),
    [['aws_iam_access_key.k', /user mailer/]],
  );

  test('tells a pipeline to take a role by OpenID Connect', () => {
    const fixes = (name: string) =>
      checkTemplates({ templates: [keyOf(name)], rules: [rule], today: '2026-11-28' }).violations.map(
        ({ fix }) => fix,
      );
    expect(fixes('github-actions')).toEqual([expect.stringContaining('OpenID Connect')]);
    expect(fixes('mailer')).toEqual([expect.not.stringContaining('OpenID Connect')]);
  });

  holds(rule, 'a user without key', stack({ User: resource('AWS::IAM::User', { UserName: 'ci' }) }));
  holds(
    rule,
    'a user without key in a plan',
    plan([{ type: 'aws_iam_user', name: 'u', after: { name: 'ci' } }]),
  );
});
