import { describe } from '@jest/globals';
import { secretValueInState as rule } from '../../../../core/template/rules/secret-value-in-state.ts';
import { breaks, holds, plan, secret, stack } from '../support.ts';

const version = (after: object, more: object = {}) =>
  plan([
    { type: 'aws_secretsmanager_secret', name: 'db', after: { name: 'db' }, unknown: { id: true } },
    {
      type: 'aws_secretsmanager_secret_version',
      name: 'db',
      after: { ...after },
      refers: { secret_id: ['aws_secretsmanager_secret.db.id', 'aws_secretsmanager_secret.db'] },
      ...more,
    },
  ]);
const address = 'aws_secretsmanager_secret_version.db';

describe('SecretValueInState', () => {
  breaks(
    rule,
    'a value that the plan holds',
    version(
      { secret_string: 'hunter22' },
      { unknown: { secret_id: true }, sensitive: { secret_string: true } },
    ),
    [[address, /value of secret db is in Terraform's plan and state/]],
  );
  breaks(
    rule,
    'a value that the state will hold',
    version(
      {},
      {
        unknown: { secret_id: true, secret_string: true },
        sensitive: { secret_string: true },
        refers: {
          secret_id: ['aws_secretsmanager_secret.db.id'],
          secret_string: ['random_password.db.result', 'random_password.db'],
        },
      },
    ),
    [[address, /secret db/]],
  );

  holds(
    rule,
    'a write-only value',
    version({ secret_string: null, secret_string_wo: null, secret_string_wo_version: 1 }),
  );
  holds(rule, 'a first value that is none', version({ secret_string: '{}' }));
  holds(rule, 'CloudFormation', stack({ A: secret({ SecretString: 'hunter22' }) }));
});
