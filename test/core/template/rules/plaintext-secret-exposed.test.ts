import { describe } from '@jest/globals';
import { readTemplate } from '../../../../core/template/read.ts';
import { plaintextSecretExposed as rule } from '../../../../core/template/rules/plaintext-secret-exposed.ts';
import { breaks, holds, plan, ref, resource, secret, stack } from '../support.ts';

const lambda = (Variables: object) => resource('AWS::Lambda::Function', { Environment: { Variables } });
/** A key of the form that AWS gives out, put together so that no scanner takes this file for a leak. */
const keyId = `AKIA${'Z234'.repeat(4)}`;

describe('PlaintextSecretExposed', () => {
  breaks(rule, 'a variable of a function', stack({ F: lambda({ DB_PASSWORD: 'hunter22' }) }), [
    ['F', /environment variable of a Lambda function holds DB_PASSWORD in plain text/],
  ]);
  breaks(rule, 'a key of AWS, whatever its name', stack({ F: lambda({ SETTING: keyId }) }), [
    ['F', /an AWS access key id, in SETTING,/],
  ]);
  breaks(
    rule,
    'a connection string',
    stack({ F: lambda({ DATABASE_URL: 'postgresql://app:hunter22@db.internal/orders' }) }),
    [['F', /a connection string with a password/]],
  );
  breaks(
    rule,
    'a plain variable of a build',
    stack({
      P: resource('AWS::CodeBuild::Project', {
        Environment: { EnvironmentVariables: [{ Name: 'NPM_TOKEN', Value: 'abcd1234efgh' }] },
      }),
    }),
    [['P', /CodeBuild project holds NPM_TOKEN/]],
  );
  breaks(
    rule,
    'user data',
    stack({
      I: resource('AWS::EC2::Instance', {
        UserData: {
          'Fn::Base64': {
            'Fn::Sub': `#!/bin/bash\nexport DB_PASSWORD=hunter2222\ncfn-init \${AWS::StackName}`,
          },
        },
      }),
    }),
    [['I', /user data of an instance holds DB_PASSWORD/]],
  );
  breaks(
    rule,
    'a plain parameter, by its name',
    stack({
      S: resource('AWS::SSM::Parameter', { Name: '/prod/api-key', Type: 'String', Value: 'abcd1234efgh' }),
    }),
    [['S', /plain parameter of Systems Manager holds api-key/]],
  );
  breaks(
    rule,
    'a state machine',
    stack({
      M: resource('AWS::StepFunctions::StateMachine', {
        DefinitionString: JSON.stringify({ States: { Call: { Parameters: { apiKey: 'abcd1234efgh' } } } }),
      }),
    }),
    [['M', /definition of a state machine holds apiKey/]],
  );
  breaks(
    rule,
    'a tag and a description',
    stack({ S: secret({ Tags: [{ Key: 'password', Value: 'hunter2222' }], Description: `key ${keyId}` }) }),
    [
      ['S', /a tag holds password/],
      ['S', /a description holds an AWS access key id/],
    ],
  );
  breaks(
    rule,
    'a build argument of an image, in the manifest of assets',
    readTemplate('app.assets.json', {
      version: '48.0.0',
      dockerImages: {
        abc: { displayName: 'Image', source: { directory: '.', dockerBuildArgs: { NPM_TOKEN: 'abcd1234' } } },
      },
    }) ?? [],
    [['Image', /build argument of a container image holds NPM_TOKEN/]],
  );
  breaks(
    rule,
    'a variable in a plan',
    plan([
      {
        type: 'aws_lambda_function',
        name: 'f',
        after: { environment: [{ variables: { DB_PASSWORD: 'hunter22' } }] },
      },
    ]),
    [['aws_lambda_function.f', /DB_PASSWORD/]],
  );

  holds(
    rule,
    'names beside a secret, and values that are none',
    stack(
      {
        F: lambda({
          SECRET_ARN: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:x-AbCdEf',
          DB_PASSWORD_SECRET_NAME: 'prod/orders/db',
          PASSWORD_LENGTH: '32',
          PASSWORD_POLICY: 'strong',
          TOKEN_TTL_SECONDS: '3600',
          PARTITION_KEY: 'orderId',
          API_KEY: 'CHANGE_ME',
          SECRET: ref('S'),
          DB_PASSWORD: ref('P'),
          DATABASE_URL: 'postgresql://db.internal:5432/orders',
          USE_TOKEN: 'true',
          SECRET_PATH: '/prod/orders',
          PUBLIC_KEY: 'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A',
        }),
        S: secret(),
      },
      { Parameters: { P: { Type: 'String' } } },
    ),
  );
  holds(
    rule,
    'variables of a build that name a secret',
    stack({
      P: resource('AWS::CodeBuild::Project', {
        Environment: {
          EnvironmentVariables: [{ Name: 'NPM_TOKEN', Value: 'prod/npm:token', Type: 'SECRETS_MANAGER' }],
        },
      }),
    }),
  );
  holds(
    rule,
    'a script that reads the secret when it runs',
    stack({
      I: resource('AWS::EC2::Instance', {
        UserData: '#!/bin/bash\nDB_PASSWORD=$(aws secretsmanager get-secret-value --secret-id x)\nTOKEN="$1"',
      }),
    }),
  );
  holds(
    rule,
    'expressions of states',
    stack({
      M: resource('AWS::StepFunctions::StateMachine', {
        DefinitionString: JSON.stringify({
          States: { Call: { Parameters: { 'token.$': '$.token', token: '{% $token %}' } } },
        }),
      }),
    }),
  );
});
