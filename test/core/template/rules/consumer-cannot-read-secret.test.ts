import { describe } from '@jest/globals';
import { consumerCannotReadSecret as rule } from '../../../../core/template/rules/consumer-cannot-read-secret.ts';
import {
  allowing,
  attribute,
  breaks,
  holds,
  plan,
  ref,
  resolved,
  resource,
  roleWith,
  secret,
  stack,
} from '../support.ts';

const read = 'secretsmanager:GetSecretValue';
const none = allowing('logs:PutLogEvents', '*');
const usual = 'arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy';
const task = (role: unknown, more: object = {}) =>
  stack({
    S: secret({ Name: 's' }),
    Role: role,
    Task: resource('AWS::ECS::TaskDefinition', {
      ExecutionRoleArn: attribute('Role', 'Arn'),
      ContainerDefinitions: [
        {
          Name: 'app',
          Secrets: [{ Name: 'PW', ValueFrom: { 'Fn::Join': ['', [ref('S'), ':password::']] } }],
        },
      ],
    }),
    ...more,
  });
const lambda = (role: unknown, variables: object = { SECRET: ref('S') }, more: object = {}) =>
  stack({
    S: secret({ KmsKeyId: attribute('Key', 'Arn') }),
    Key: resource('AWS::KMS::Key', {
      KeyPolicy: allowing('kms:*', '*', {
        Principal: { AWS: { 'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:root` } },
      }),
    }),
    Role: role,
    F: resource('AWS::Lambda::Function', {
      Role: attribute('Role', 'Arn'),
      Environment: { Variables: variables },
    }),
    ...more,
  });

describe('ConsumerCannotReadSecret', () => {
  breaks(rule, 'a task whose role may not read', task(roleWith(none, { ManagedPolicyArns: [usual] })), [
    ['Task', /secret s, and Role is not allowed secretsmanager:GetSecretValue/],
  ]);
  breaks(rule, 'a function whose role may not read', lambda(roleWith(none)), [
    ['F', /variable SECRET gives the function secret S/],
  ]);
  breaks(rule, 'a function whose role may not use the key', lambda(roleWith(allowing(read, ref('S')))), [
    ['F', /is not allowed kms:Decrypt/],
  ]);
  breaks(
    rule,
    'a task in a plan',
    plan([
      {
        type: 'aws_secretsmanager_secret',
        name: 's',
        after: { name: 's', arn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:s-AbCdEf' },
      },
      { type: 'aws_iam_role', name: 'r', after: { name: 'r', arn: 'arn:aws:iam::111122223333:role/r' } },
      {
        type: 'aws_ecs_task_definition',
        name: 't',
        after: {
          execution_role_arn: 'arn:aws:iam::111122223333:role/r',
          container_definitions: JSON.stringify([
            {
              name: 'app',
              secrets: [
                { name: 'PW', valueFrom: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:s-AbCdEf' },
              ],
            },
          ]),
        },
      },
    ]),
    [['aws_ecs_task_definition.t', /aws_iam_role\.r is not allowed/]],
  );

  holds(rule, 'a role that may read', task(roleWith(allowing(read, ref('S')))));
  holds(
    rule,
    'a policy of its own',
    task(resource('AWS::IAM::Role'), {
      Policy: resource('AWS::IAM::Policy', {
        Roles: [ref('Role')],
        PolicyDocument: allowing([read, 'secretsmanager:DescribeSecret'], ref('S')),
      }),
    }),
  );
  holds(
    rule,
    'a secret whose own policy lets it',
    task(resource('AWS::IAM::Role'), {
      Own: resource('AWS::SecretsManager::ResourcePolicy', {
        SecretId: ref('S'),
        ResourcePolicy: allowing(read, '*', { Principal: { AWS: attribute('Role', 'Arn') } }),
      }),
    }),
  );
  holds(
    rule,
    'a role with a managed policy that the template does not show',
    task(roleWith(none, { ManagedPolicyArns: ['arn:aws:iam::aws:policy/SecretsManagerReadWrite'] })),
  );
  holds(
    rule,
    'a role with a policy that only the deploy knows',
    task(roleWith(allowing(read, { 'Fn::ImportValue': 'arn' }))),
  );
  holds(
    rule,
    'a role of another stack',
    stack({
      S: secret(),
      F: resource('AWS::Lambda::Function', {
        Role: 'arn:aws:iam::111122223333:role/x',
        Environment: { Variables: { SECRET: ref('S') } },
      }),
    }),
  );
  holds(rule, 'a value that the deploy resolves', lambda(roleWith(none), { HOST: resolved('S', 'host') }));
  holds(
    rule,
    'a key whose policy lets the role, as the CDK writes it',
    lambda(
      roleWith(allowing(read, ref('S'))),
      { SECRET: ref('S') },
      {
        Key: resource('AWS::KMS::Key', {
          KeyPolicy: allowing('kms:Decrypt', '*', {
            Principal: { AWS: attribute('Role', 'Arn') },
            Condition: {
              StringEquals: {
                'kms:ViaService': {
                  'Fn::Join': ['', ['secretsmanager.', ref('AWS::Region'), '.amazonaws.com']],
                },
              },
            },
          }),
        }),
      },
    ),
  );
  holds(
    rule,
    'a secret whose own policy only the deploy knows',
    task(resource('AWS::IAM::Role'), {
      Own: resource('AWS::SecretsManager::ResourcePolicy', {
        SecretId: ref('S'),
        ResourcePolicy: allowing(read, '*', { Principal: { AWS: { 'Fn::ImportValue': 'role' } } }),
      }),
    }),
  );
  holds(
    rule,
    'a key whose policy only the deploy knows',
    lambda(
      roleWith(allowing(read, ref('S'))),
      { SECRET: ref('S') },
      {
        Key: resource('AWS::KMS::Key', {
          KeyPolicy: allowing('kms:*', '*', { Principal: { AWS: { 'Fn::ImportValue': 'role' } } }),
        }),
      },
    ),
  );
});
