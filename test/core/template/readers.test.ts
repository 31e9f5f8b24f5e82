import { describe, expect, test } from '@jest/globals';
import { checkTemplates } from '../../../core/template/check.ts';
import { readTemplate } from '../../../core/template/read.ts';
import { resourceKey } from '../../../core/template/template.ts';
import {
  Choice,
  Imported,
  Joined,
  Parameter,
  Pseudo,
  Reference,
  Sensitive,
  StoredSecret,
  Unknown,
} from '../../../core/template/value.ts';
import { attribute, plan, ref, resource, secret, stack } from './support.ts';

const at = (id: string) => resourceKey('stack.json', id);
/** Reads one value of a template that has a resource R and a parameter P. */
const read = (value: unknown) =>
  stack(
    { R: resource('X::Y::Z'), V: resource('X::Y::Z', { value }) },
    { Parameters: { P: { Type: 'String' } } },
  ).resources[1]?.properties.value;

describe('values of CloudFormation', () => {
  test.each([
    ['text', 'a', 'a'],
    ['a number', 3, 3],
    ['a reference', ref('R'), new Reference(at('R'))],
    ['a parameter', ref('P'), new Parameter('P')],
    ['a pseudo parameter', ref('AWS::Region'), new Pseudo('AWS::Region')],
    ['no value', ref('AWS::NoValue'), undefined],
    ['a name that is not there', ref('Gone'), new Unknown()],
    ['an attribute', attribute('R', 'Arn'), new Reference(at('R'), 'Arn')],
    [
      'an attribute as YAML gives it',
      { 'Fn::GetAtt': 'R.Endpoint.Port' },
      new Reference(at('R'), 'Endpoint.Port'),
    ],
    ['a join of texts', { 'Fn::Join': ['-', ['a', 'b', 3]] }, 'a-b-3'],
    ['a join', { 'Fn::Join': [':', ['a', ref('R')]] }, new Joined(['a:', new Reference(at('R'))])],
    [
      'a substitution',
      { 'Fn::Sub': `x-\${R.Arn}-\${!Literal}-\${AWS::Region}` },
      new Joined(['x-', new Reference(at('R'), 'Arn'), `-\${Literal}-`, new Pseudo('AWS::Region')]),
    ],
    [
      'a substitution with variables',
      { 'Fn::Sub': [`\${A}/\${P}`, { A: 'a' }] },
      new Joined(['a/', new Parameter('P')]),
    ],
    ['a choice', { 'Fn::If': ['C', 'a', ref('AWS::NoValue')] }, new Choice(['a'])],
    ['an item of a list', { 'Fn::Select': ['1', ['a', 'b']] }, 'b'],
    ['an import', { 'Fn::ImportValue': 'x' }, new Imported('x')],
    ['encoded text', { 'Fn::Base64': 'a' }, 'a'],
    ['another function', { 'Fn::FindInMap': ['M', 'a', 'b'] }, new Unknown([['M', 'a', 'b']])],
    [
      'a secret',
      '{{resolve:secretsmanager:prod/x:SecretString:password}}',
      new StoredSecret('secretsmanager', 'prod/x', 'password'),
    ],
    ['a whole secret', '{{resolve:secretsmanager:prod/x}}', new StoredSecret('secretsmanager', 'prod/x')],
    [
      'a secret by its ARN, of a version',
      '{{resolve:secretsmanager:arn:aws:secretsmanager:eu-central-1:111122223333:secret:x-AbCdEf:SecretString:password:AWSPREVIOUS}}',
      new StoredSecret(
        'secretsmanager',
        'arn:aws:secretsmanager:eu-central-1:111122223333:secret:x-AbCdEf',
        'password',
        { stage: 'AWSPREVIOUS' },
      ),
    ],
    ['a secure string', '{{resolve:ssm-secure:/x:1}}', new StoredSecret('ssm-secure', '/x:1')],
    ['a plain parameter, which is no secret', '{{resolve:ssm:/x}}', '{{resolve:ssm:/x}}'],
  ])('%s', (_, value, expected) => expect(read(value)).toEqual(expected));
});

describe('a plan', () => {
  test('joins what is known, unknown and sensitive', () => {
    const { resources } = plan([
      { type: 'aws_iam_role', name: 'r', after: { name: 'r' }, unknown: { arn: true } },
      {
        type: 'aws_lambda_function',
        name: 'f',
        after: { environment: [{ variables: { A: 'a', B: 'b' } }] },
        unknown: { role: true, environment: [{ variables: { C: true } }] },
        sensitive: { environment: [{ variables: { B: true } }] },
        refers: { role: ['aws_iam_role.r.arn', 'aws_iam_role.r'] },
      },
    ]);
    expect(resources[1]).toMatchObject({
      type: 'AWS::Lambda::Function',
      path: 'aws_lambda_function.f',
      properties: {
        Role: new Reference(resourceKey('plan.json', 'aws_iam_role.r'), 'arn'),
        Environment: { Variables: { A: 'a', B: new Sensitive('b') } },
      },
    });
  });

  test('follows modules: their outputs, their variables, and the instances of a resource', () => {
    const template = readTemplate('plan.json', {
      format_version: '1.2',
      resource_changes: [
        change('module.store[0].aws_secretsmanager_secret.this["a"]', 'module.store[0]', { name: 'a' }),
        change('module.store[0].aws_secretsmanager_secret.this["b"]', 'module.store[0]', { name: 'b' }),
        change('module.turn.aws_secretsmanager_secret_rotation.this["a"]', 'module.turn', {
          rotation_rules: [{ automatically_after_days: 30 }],
        }),
      ],
      configuration: {
        root_module: {
          module_calls: {
            store: {
              module: {
                resources: [configured('aws_secretsmanager_secret.this')],
                outputs: { ids: { expression: { references: ['aws_secretsmanager_secret.this'] } } },
              },
            },
            turn: {
              expressions: { secret: { references: ['module.store[0].ids', 'module.store[0]'] } },
              module: {
                resources: [
                  configured('aws_secretsmanager_secret_rotation.this', {
                    secret_id: { references: ['var.secret'] },
                  }),
                ],
              },
            },
          },
        },
      },
    });
    const { violations } = checkTemplates({
      templates: template === undefined ? [] : [template],
      today: '2026-11-28',
    });
    const unrotated = violations.filter(({ rule }) => rule === 'SecretWithoutRotation');
    // Which of the two instances is meant is not told, so nothing is said of either.
    expect(unrotated).toEqual([]);
  });

  test.each([
    ['a state', { format_version: '1.0', values: {} }],
    ['a plan of a later form', { format_version: '2.0', resource_changes: [] }],
    ['a package', { name: 'x', version: '1' }],
    ['a list', []],
  ])('%s is none', (_, document) => expect(readTemplate('x', document)).toBeUndefined());
});

const change = (address: string, module_address: string, after: object) => ({
  address,
  module_address,
  mode: 'managed',
  type: /(aws_\w+)\./.exec(address)?.[1],
  name: 'this',
  change: {
    actions: ['create'],
    before: null,
    after,
    after_unknown: { secret_id: true },
    after_sensitive: {},
  },
});
const configured = (address: string, expressions: object = {}) => ({ address, mode: 'managed', expressions });

/** No report may quote what it found: it goes to logs, pull requests and code scanning. */
test('no message, fix or place holds a value', () => {
  const value = 'S3ntinel-1f7c9a';
  const templates = [
    stack(
      {
        A: secret({
          SecretString: JSON.stringify({ password: value }),
          Tags: [{ Key: 'password', Value: value }],
        }),
        B: secret({ SecretString: value, Description: `postgres://app:${value}@db/x` }),
        F: resource('AWS::Lambda::Function', { Environment: { Variables: { DB_PASSWORD: value } } }),
        I: resource('AWS::EC2::Instance', { UserData: `export DB_PASSWORD=${value}` }),
        P: resource('AWS::SSM::Parameter', { Name: 'password', Type: 'String', Value: value }),
        T: resource('AWS::ECS::TaskDefinition', {
          ContainerDefinitions: [{ Name: 'a', Environment: [{ Name: 'TOKEN', Value: value }] }],
        }),
        M: resource('AWS::StepFunctions::StateMachine', {
          DefinitionString: JSON.stringify({ apiKey: value }),
        }),
        G: resource('AWS::CodeBuild::Project', {
          Environment: { EnvironmentVariables: [{ Name: 'TOKEN', Value: value }] },
        }),
      },
      { Parameters: { DbPassword: { Type: 'String', Default: value } }, Outputs: { O: { Value: value } } },
    ),
    plan(
      [
        {
          type: 'aws_secretsmanager_secret_version',
          name: 'v',
          actions: ['update'],
          before: { secret_string: `old ${value}` },
          after: { secret_string: value },
          sensitive: { secret_string: true },
        },
        {
          type: 'aws_lambda_function',
          name: 'f',
          after: { environment: [{ variables: { TOKEN: value } }] },
          sensitive: { environment: [{ variables: { TOKEN: true } }] },
        },
      ],
      { output_changes: { o: { actions: ['create'], after: value, after_sensitive: true } } },
      {
        variables: { db_password: { default: value } },
        outputs: { o: { expression: { references: ['var.db_password'] } } },
      },
    ),
  ];
  const { violations } = checkTemplates({ templates, today: '2026-11-28' });
  expect(violations.length).toBeGreaterThan(14);
  expect(JSON.stringify(violations)).not.toContain(value);
});
