import { describe } from '@jest/globals';
import { liveValueOverwritten as rule } from '../../../../core/template/rules/live-value-overwritten.ts';
import { breaks, holds, type Planned, plan, secret, stack } from '../support.ts';

const generating = (length: number) =>
  stack({ A: secret({ Name: 'a', GenerateSecretString: { PasswordLength: length } }) });
const deployed = (template: ReturnType<typeof stack>) => ({ deployed: new Map([['stack.json', template]]) });

const existing: Planned = {
  type: 'aws_secretsmanager_secret',
  name: 'db',
  actions: ['no-op'],
  before: { name: 'db', arn: 'arn:db', id: 'arn:db' },
  after: { name: 'db', arn: 'arn:db', id: 'arn:db' },
};
const version = (more: Partial<Planned>): Planned => ({
  type: 'aws_secretsmanager_secret_version',
  name: 'db',
  refers: { secret_id: ['aws_secretsmanager_secret.db.id', 'aws_secretsmanager_secret.db'] },
  ...more,
});
const address = 'aws_secretsmanager_secret_version.db';
const deleted = { resource_drift: [{ address, change: { actions: ['delete'], before: {}, after: null } }] };

describe('LiveValueOverwritten', () => {
  breaks(
    rule,
    'another rule for the generated value',
    generating(64),
    [['A', /GenerateSecretString of secret a differs/]],
    deployed(generating(32)),
  );
  breaks(
    rule,
    'a literal in place of a generated value',
    stack({ A: secret({ SecretString: 'x' }) }),
    [['A', /SecretString/]],
    deployed(generating(32)),
  );
  breaks(
    rule,
    'a version that Terraform makes again after two rotations',
    plan(
      [existing, version({ actions: ['create'], after: { secret_id: 'arn:db', secret_string: 'first' } })],
      deleted,
    ),
    [[address, /value over the one in use of secret db: two rotations have removed the version/]],
  );
  breaks(
    rule,
    'another value for a version that exists',
    plan([
      existing,
      version({
        actions: ['update'],
        before: { secret_id: 'arn:db', secret_string: 'old' },
        after: { secret_id: 'arn:db', secret_string: 'new' },
      }),
    ]),
    [[address, /another value/]],
  );
  breaks(
    rule,
    'a higher version of a write-only value',
    plan([
      existing,
      version({
        actions: ['update'],
        before: { secret_id: 'arn:db', secret_string_wo_version: 1 },
        after: { secret_id: 'arn:db', secret_string_wo_version: 2 },
      }),
    ]),
    [[address, /another value/]],
  );

  holds(rule, 'the same value', generating(32), deployed(generating(32)));
  holds(rule, 'a new secret', generating(32), deployed(stack({})));
  holds(
    rule,
    'a value that is taken out of the template',
    stack({ A: secret({ Name: 'a' }) }),
    deployed(generating(32)),
  );
  holds(
    rule,
    'the first apply',
    plan([
      { ...existing, actions: ['create'], before: null },
      version({ actions: ['create'], after: { secret_string: 'first' }, unknown: { secret_id: true } }),
    ]),
  );
  holds(
    rule,
    'an apply that changes nothing',
    plan([
      existing,
      version({ actions: ['no-op'], before: { secret_string: 'a' }, after: { secret_string: 'a' } }),
    ]),
  );
  holds(
    rule,
    'other labels',
    plan([
      existing,
      version({
        actions: ['update'],
        before: { secret_string: 'a', version_stages: ['AWSCURRENT'] },
        after: { secret_string: 'a', version_stages: ['X'] },
      }),
    ]),
  );
});
