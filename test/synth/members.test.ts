import { beforeAll, describe, expect, test } from '@jest/globals';
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { AuditLog } from '../../lib/audit/audit-log.ts';
import { RekeyBus } from '../../lib/events/rekey-bus.ts';
import {
  RevocationWorkflow,
  type RevocationWorkflowProps,
} from '../../lib/revocation/revocation-workflow.ts';
import { testApp } from './support/app.ts';

const [account, other] = ['111122223333', '444455556666'];

function synthesized(more: Pick<RevocationWorkflowProps, 'members' | 'coordinator'>): Template {
  const app = testApp({ flags: {} });
  Validations.of(app).addPlugins(new AwsSolutionsChecks());
  const stack = new Stack(app, 'Rekey', { env: { account, region: 'eu-central-1' } });
  const bus = new RekeyBus(stack, 'Bus', { environment: 'prod' });
  const auditQueue = new AuditLog(stack, 'AuditLog', { bus, retention: Duration.days(1) }).queue;
  new RevocationWorkflow(stack, 'Revocation', { bus, auditQueue, secrets: [], ...more });
  // Synthesis fails on any finding of cdk-nag that is not acknowledged.
  app.synth();
  return Template.fromStack(stack);
}

let alone: Template;
let coordinator: Template;
let member: Template;
beforeAll(() => {
  alone = synthesized({ members: {} });
  coordinator = synthesized({
    members: {
      west: { environment: 'staging', account: other, region: 'us-west-2' },
      theirs: { environment: 'shop', account: other, region: 'eu-west-1', role: 'asked-by-others' },
    },
  });
  member = synthesized({ coordinator: { environment: 'security', account: other, region: 'eu-west-1' } });
});

interface Statement {
  readonly Sid?: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** Lists the statements of a role that is found by its name. */
function statementsOf(template: Template, roleName: string): Statement[] {
  const [id] = Object.keys(template.findResources('AWS::IAM::Role', { Properties: { RoleName: roleName } }));
  return Object.values(template.findResources('AWS::IAM::Policy'))
    .filter(({ Properties }) => JSON.stringify(Properties.Roles).includes(`"${id}"`))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[])
    .filter(({ Action }) => ![Action].flat().some((action) => /^xray:|^logs:(Create|Put)/.test(action)));
}

const statesOf = (template: Template): string =>
  JSON.stringify(
    Object.values(template.findResources('AWS::StepFunctions::StateMachine')).map(
      ({ Properties }) => Properties.DefinitionString,
    ),
  );

describe('an environment without members and coordinator', () => {
  test('has none of their roles, functions and states', () => {
    const text = JSON.stringify(alone.toJSON());
    for (const part of [
      'sts:AssumeRole"],',
      'REKEY_MEMBERS',
      'rekey.coordinator',
      'Follow members',
      '-member-',
    ]) {
      expect(text).not.toContain(part);
    }
  });
});

describe('a coordinator', () => {
  test('has one function that may assume the roles of its members, and no other role', () => {
    const roles = [
      {
        'Fn::Join': [
          '',
          ['arn:', { Ref: 'AWS::Partition' }, `:iam::${other}:role/rekey-staging-member-us-west-2`],
        ],
      },
      { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:iam::${other}:role/asked-by-others`]] },
    ];
    const own = statementsOf(coordinator, 'rekey-prod-coordinator-eu-central-1');
    expect(own.map(({ Action }) => Action)).toEqual([
      'sts:AssumeRole',
      ['s3:GetObject', 's3:PutObject'],
      's3:ListBucket',
    ]);
    expect(own[0]?.Resource).toEqual(roles);
    const all = Object.values(coordinator.findResources('AWS::IAM::Policy')).flatMap(
      ({ Properties }) => Properties.PolicyDocument.Statement as Statement[],
    );
    expect(all.filter(({ Action }) => [Action].flat().includes('sts:AssumeRole'))).toHaveLength(1);
  });

  test('may put a member’s end, and the end of its task, on its bus; alone, none of both', () => {
    const concluding = (template: Template) =>
      JSON.stringify(template.findResources('AWS::IAM::Policy')).includes('Revocation Member Concluded');
    expect([concluding(coordinator), concluding(alone)]).toEqual([true, false]);
  });

  test('has its members run their parts beside its own steps, and neither stops the other', () => {
    const parts = Object.values(coordinator.findResources('AWS::StepFunctions::StateMachine'))
      .map(({ Properties }) => Properties.DefinitionString['Fn::Join'][1] as unknown[])
      .map((joined) => joined.map((part) => (typeof part === 'string' ? part : 'reference')).join(''))
      .find((text) => text.includes('Follow members'));
    const { States } = JSON.parse(parts ?? '{}');
    expect(States.Announce).toMatchObject({ Next: 'Everywhere', Catch: [{ Next: 'Everywhere' }] });
    const { Everywhere } = States;
    expect(Everywhere).toMatchObject({ Type: 'Parallel', Next: 'Conclude', Catch: [{ Next: 'Conclude' }] });
    const [own, members] = Everywhere.Branches;
    expect(own).toMatchObject({ StartAt: 'Begin', States: { 'Steps done': { End: true } } });
    expect(members).toMatchObject({
      StartAt: 'About members?',
      States: {
        'About members?': {
          Choices: [{ Variable: '$.request.members', IsPresent: true, Next: 'Follow members' }],
          Default: 'Members done',
        },
        'Follow members': { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Members done' }] },
        'Wait for members': { SecondsPath: '$.loop.waitSeconds', Next: 'Follow members' },
      },
    });
    expect(statesOf(alone)).not.toContain('Everywhere');
  });
});

describe('the role that a member has for its coordinator', () => {
  test('is assumed by the coordinator’s one role, which need not be there yet', () => {
    member.hasResourceProperties('AWS::IAM::Role', {
      RoleName: 'rekey-prod-member-eu-central-1',
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Action: 'sts:AssumeRole',
            Effect: 'Allow',
            Principal: { AWS: Match.anyValue() },
            Condition: {
              ArnEquals: {
                'aws:PrincipalArn': {
                  'Fn::Join': [
                    '',
                    [
                      'arn:',
                      { Ref: 'AWS::Partition' },
                      `:iam::${other}:role/rekey-security-coordinator-eu-west-1`,
                    ],
                  ],
                },
              },
            },
          },
        ],
      },
    });
  });

  test('may ask for plans, send requests of a coordinator, and look what came of them, each on one thing', () => {
    const own = statementsOf(member, 'rekey-prod-member-eu-central-1');
    expect(own.map(({ Action }) => Action)).toEqual([
      'ssm:GetParameter',
      'lambda:InvokeFunction',
      'states:DescribeExecution',
      'dynamodb:Query',
      'logs:FilterLogEvents',
      'events:PutEvents',
    ]);
    expect(own.at(-1)?.Condition).toEqual({
      StringEquals: {
        'events:source': 'rekey.coordinator',
        'events:detail-type': ['Secret Revocation Requested'],
      },
    });
    for (const { Resource } of own) expect(Resource).not.toBe('*');
  });

  test('comes with the source among those that the intake takes', () => {
    const sources = (template: Template) =>
      Object.values(template.findResources('AWS::Lambda::Function')).flatMap(
        ({ Properties }) => Properties.Environment?.Variables?.REKEY_REVOCATION_SOURCES ?? [],
      );
    expect(sources(member)).toEqual(['rekey.cli,rekey.coordinator']);
    expect(sources(alone)).toEqual(['rekey.cli']);
  });
});
