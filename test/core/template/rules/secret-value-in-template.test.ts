import { describe } from '@jest/globals';
import { secretValueInTemplate as rule } from '../../../../core/template/rules/secret-value-in-template.ts';
import { attribute, breaks, holds, ref, resolved, resource, secret, stack } from '../support.ts';

const json = (fields: object) => JSON.stringify(fields);

describe('SecretValueInTemplate', () => {
  breaks(rule, 'a literal value', stack({ A: secret({ SecretString: 'correct-horse-battery' }) }), [
    ['A', /SecretString of secret A holds its value in plain text/],
  ]);
  breaks(
    rule,
    'a literal password among fields',
    stack({ A: secret({ SecretString: json({ username: 'orders', password: 'hunter22' }) }) }),
    [['A', /holds key password/]],
  );
  breaks(
    rule,
    'a literal password beside an open host',
    stack({
      A: secret({
        SecretString: {
          'Fn::Join': ['', ['{"host":"', attribute('Db', 'Endpoint.Address'), '","password":"hunter22"}']],
        },
      }),
      Db: resource('AWS::RDS::DBInstance'),
    }),
    [['A', /holds key password/]],
  );
  breaks(
    rule,
    'a connection string with its password',
    stack(
      { A: secret({ SecretString: { 'Fn::Sub': `postgres://app:hunter22@\${Host}/db` } }) },
      {
        Parameters: { Host: { Type: 'String' } },
      },
    ),
    [['A', /holds a connection string with a password/]],
  );

  holds(
    rule,
    'a generated value',
    stack({
      A: secret({
        GenerateSecretString: {
          SecretStringTemplate: json({ username: 'x' }),
          GenerateStringKey: 'password',
        },
      }),
    }),
  );
  holds(
    rule,
    'a value from a hidden parameter',
    stack(
      { A: secret({ SecretString: ref('Value') }) },
      { Parameters: { Value: { Type: 'String', NoEcho: true } } },
    ),
  );
  holds(
    rule,
    'a value from another secret',
    stack({ A: secret({ SecretString: resolved('B') }), B: secret() }),
  );
  holds(rule, 'an empty document', stack({ A: secret({ SecretString: '{}' }) }));
  holds(
    rule,
    'a place to be filled later',
    stack({
      A: secret({ SecretString: 'CHANGE_ME' }),
      B: secret({ SecretString: json({ apiKey: '<set after the deploy>' }) }),
    }),
  );
  holds(
    rule,
    'fields that are no secret',
    stack({
      A: secret({
        SecretString: json({
          username: 'orders',
          host: 'db.internal',
          engine: 'postgres',
          masterarn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin',
        }),
      }),
    }),
  );
  holds(
    rule,
    'the secret of an access key',
    stack({
      A: secret({ SecretString: attribute('Key', 'SecretAccessKey') }),
      Key: resource('AWS::IAM::AccessKey', { UserName: 'x' }),
    }),
  );
  holds(
    rule,
    'a list of names',
    stack({ A: secret({ SecretString: '[]' }), B: secret({ SecretString: 'null' }) }),
  );
});
