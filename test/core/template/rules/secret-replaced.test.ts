import { describe } from '@jest/globals';
import { secretReplaced as rule } from '../../../../core/template/rules/secret-replaced.ts';
import { breaks, holds, plan, ref, secret, stack } from '../support.ts';

const called = (Name?: unknown) =>
  stack({ A: secret(Name === undefined ? {} : { Name }) }, { Parameters: { N: { Type: 'String' } } });
const deployed = (template: ReturnType<typeof stack>) => ({ deployed: new Map([['stack.json', template]]) });
const planned = (actions: readonly string[]) =>
  plan([
    {
      type: 'aws_secretsmanager_secret',
      name: 'db',
      actions,
      before: { name: 'old' },
      after: { name: 'new' },
    },
  ]);

describe('SecretReplaced', () => {
  breaks(
    rule,
    'another name',
    called('new'),
    [['A', /secret old gets another name \(new\)/]],
    deployed(called('old')),
  );
  breaks(
    rule,
    'a name where CloudFormation made one',
    called('new'),
    [['A', /another name/]],
    deployed(called()),
  );
  breaks(rule, 'a replacement in a plan', planned(['delete', 'create']), [
    ['aws_secretsmanager_secret.db', /removes secret new and makes a new one/],
  ]);

  holds(rule, 'the same name', called('old'), deployed(called('old')));
  holds(rule, 'a name that a parameter gives', called(ref('N')), deployed(called('old')));
  holds(rule, 'a new secret', called('new'), deployed(stack({})));
  holds(rule, 'an update in a plan', planned(['update']));
});
