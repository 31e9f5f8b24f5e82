import { describe } from '@jest/globals';
import { resolvedSecretExposed as rule } from '../../../../core/template/rules/resolved-secret-exposed.ts';
import { attribute, breaks, holds, plan, ref, resolved, resource, secret, stack } from '../support.ts';

const S = secret();
const lambda = (Variables: object) => resource('AWS::Lambda::Function', { Environment: { Variables } });

describe('ResolvedSecretExposed', () => {
  breaks(rule, 'a variable of a function', stack({ S, F: lambda({ PASSWORD: resolved('S') }) }), [
    [
      'F',
      /PASSWORD, gets the value of secret S, key password at the deploy, and lambda:GetFunctionConfiguration/,
    ],
  ]);
  breaks(rule, 'a reference by name', stack({ F: lambda({ KEY: '{{resolve:secretsmanager:prod/key}}' }) }), [
    ['F', /the value of secret prod\/key/],
  ]);
  breaks(
    rule,
    'one inside of a text',
    stack({
      S,
      F: lambda({ URL: { 'Fn::Sub': `https://x:{{resolve:secretsmanager:\${S}:SecretString:password}}@y` } }),
    }),
    [['F', /value of secret S/]],
  );
  breaks(
    rule,
    'a secure string of Systems Manager',
    stack({ F: lambda({ KEY: '{{resolve:ssm-secure:/prod/key:1}}' }) }),
    [['F', /secure string/]],
  );
  breaks(
    rule,
    'a hidden parameter',
    stack({ F: lambda({ API_KEY: ref('Key') }) }, { Parameters: { Key: { Type: 'String', NoEcho: true } } }),
    [['F', /the hidden parameter Key/]],
  );
  breaks(
    rule,
    'outputs',
    stack(
      { S, K: resource('AWS::IAM::AccessKey', { UserName: 'x' }) },
      { Outputs: { Key: { Value: attribute('K', 'SecretAccessKey') }, Password: { Value: resolved('S') } } },
    ),
    [
      ['Key', /output Key shows SecretAccessKey of K/],
      ['Password', /value of secret S/],
    ],
  );
  breaks(
    rule,
    'a plain parameter, user data, a build, a service, a state machine, a job and a tag',
    stack({
      S,
      Parameter: resource('AWS::SSM::Parameter', { Type: 'String', Value: resolved('S') }),
      Instance: resource('AWS::EC2::Instance', {
        UserData: { 'Fn::Base64': { 'Fn::Join': ['', ['PW=', resolved('S')]] } },
      }),
      Build: resource('AWS::CodeBuild::Project', {
        Environment: { EnvironmentVariables: [{ Name: 'PW', Value: resolved('S') }] },
      }),
      Service: resource('AWS::AppRunner::Service', {
        SourceConfiguration: {
          ImageRepository: {
            ImageConfiguration: { RuntimeEnvironmentVariables: [{ Name: 'PW', Value: resolved('S') }] },
          },
        },
      }),
      Machine: resource('AWS::StepFunctions::StateMachine', {
        DefinitionString: { 'Fn::Join': ['', ['{"x":"', resolved('S'), '"}']] },
      }),
      Job: resource('AWS::Batch::JobDefinition', {
        ContainerProperties: { Environment: [{ Name: 'PW', Value: resolved('S') }] },
      }),
      Task: resource('AWS::ECS::TaskDefinition', {
        ContainerDefinitions: [{ Name: 'app', Command: ['--password', resolved('S')] }],
      }),
      Tagged: resource('AWS::S3::Bucket', { Tags: [{ Key: 'pw', Value: resolved('S') }] }),
    }),
    [
      ['Parameter', /plain parameter/],
      ['Instance', /user data/],
      ['Build', /CodeBuild/],
      ['Service', /App Runner/],
      ['Machine', /state machine/],
      ['Job', /Batch/],
      ['Task', /command or a label/],
      ['Tagged', /a tag/],
    ],
  );
  breaks(
    rule,
    'a sensitive variable in a plan, by its own mark',
    plan([
      {
        type: 'aws_lambda_function',
        name: 'f',
        after: { environment: [{ variables: { DB_HOST: 'h', DB_PASSWORD: 'hunter22' } }] },
        sensitive: { environment: [{ variables: { DB_HOST: true, DB_PASSWORD: true } }] },
      },
    ]),
    [['aws_lambda_function.f', /DB_PASSWORD, gets a value that Terraform marks as sensitive/]],
  );

  holds(
    rule,
    'places that take a secret and never show it',
    stack({
      S,
      Db: resource('AWS::RDS::DBInstance', {
        MasterUserPassword: resolved('S'),
        MasterUsername: resolved('S', 'username'),
      }),
      Cache: resource('AWS::ElastiCache::ReplicationGroup', { AuthToken: resolved('S') }),
      Copy: secret({ SecretString: resolved('S') }),
    }),
  );
  holds(
    rule,
    'parts of a secret that are none, its ARN, and plain parameters',
    stack({
      S,
      F: lambda({
        DB_HOST: resolved('S', 'host'),
        DB_USER: resolved('S', 'username'),
        SECRET_ARN: ref('S'),
        SETTING: '{{resolve:ssm:/prod/setting}}',
      }),
    }),
  );
  holds(rule, 'an output of the ARN', stack({ S }, { Outputs: { Arn: { Value: ref('S') } } }));
});
