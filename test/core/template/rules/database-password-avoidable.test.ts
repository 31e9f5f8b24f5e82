import { describe } from '@jest/globals';
import { databasePasswordAvoidable as rule } from '../../../../core/template/rules/database-password-avoidable.ts';
import { breaks, holds, plan, ref, resolved, resource, secret, stack } from '../support.ts';

const database = (properties: object, attached = true) =>
  stack({
    S: secret({ Name: 's' }),
    Db: resource('AWS::RDS::DBInstance', { ...properties }),
    ...(attached && {
      Attached: resource('AWS::SecretsManager::SecretTargetAttachment', {
        SecretId: ref('S'),
        TargetId: ref('Db'),
      }),
    }),
  });

describe('DatabasePasswordAvoidable', () => {
  breaks(rule, 'a database with the secret of a user', database({ Engine: 'postgres' }), [
    ['Db', /such as that in secret s/],
  ]);
  breaks(
    rule,
    'a password out of a secret',
    database({ Engine: 'mysql', MasterUserPassword: resolved('S') }, false),
    [['Db', /secret s/]],
  );
  breaks(
    rule,
    'a login with IAM that is off',
    database({ Engine: 'postgres', EnableIAMDatabaseAuthentication: false }),
    [['Db', /secret s/]],
  );

  holds(rule, 'a login with IAM', database({ Engine: 'postgres', EnableIAMDatabaseAuthentication: true }));
  holds(rule, 'an engine without it', database({ Engine: 'oracle-ee' }));
  holds(
    rule,
    'a database without a secret',
    database({ Engine: 'postgres', ManageMasterUserPassword: true }, false),
  );
  holds(
    rule,
    'a plan, where no attachment tells',
    plan([{ type: 'aws_db_instance', name: 'db', after: { engine: 'postgres' } }]),
  );
});
