import { beforeAll, describe, expect, test } from '@jest/globals';
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { AuditLog } from '../../lib/audit/audit-log.ts';
import { RekeyBus } from '../../lib/events/rekey-bus.ts';
import { RevocationWorkflow } from '../../lib/revocation/revocation-workflow.ts';
import { testApp } from './support/app.ts';

interface Rule {
  readonly ErrorEquals: readonly string[];
  readonly Next?: string;
}
interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly SecondsPath?: string;
  readonly MaxConcurrency?: number;
  readonly ToleratedFailurePercentage?: number;
  readonly TimeoutSeconds?: number;
  readonly ResultPath?: string | null;
  readonly Choices?: readonly Record<string, unknown>[];
  readonly Retry?: readonly Rule[];
  readonly Catch?: readonly Rule[];
  readonly ItemProcessor?: Machine & { readonly ProcessorConfig: unknown };
}
interface Machine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}
interface Statement {
  readonly Sid?: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

let template: Template;
let stack: Stack;
let workflow: RevocationWorkflow;
/** The workflow itself, the states of a lane, and those of a secret. */
let machine: Machine;
let lane: Machine;
let secret: Machine;

beforeAll(() => {
  const app = testApp({ flags: {} });
  Validations.of(app).addPlugins(new AwsSolutionsChecks());
  stack = new Stack(app, 'Rekey', { env: { account: '111122223333', region: 'eu-central-1' } });
  const bus = new RekeyBus(stack, 'Bus', { environment: 'test' });
  const auditQueue = new AuditLog(stack, 'AuditLog', { bus, retention: Duration.days(1) }).queue;
  workflow = new RevocationWorkflow(stack, 'Revocation', {
    bus,
    auditQueue,
    secrets: [],
    rotationsPerSecond: 7,
  });
  // Synthesis fails on any finding of cdk-nag that is not acknowledged.
  app.synth();
  template = Template.fromStack(stack);
  const { Properties } = template.findResources('AWS::StepFunctions::StateMachine')[
    idOf(workflow.plans.stateMachine)
  ] as { Properties: { DefinitionString: { 'Fn::Join': [string, unknown[]] } } };
  const parts = Properties.DefinitionString['Fn::Join'][1];
  machine = JSON.parse(parts.map((part) => (typeof part === 'string' ? part : 'reference')).join(''));
  lane = machine.States['Run step']?.ItemProcessor as Machine;
  secret = lane.States['Secrets of the lane']?.ItemProcessor as Machine;
});

const idOf = (construct: { node: { defaultChild?: unknown } }) =>
  stack.getLogicalId(construct.node.defaultChild as Parameters<Stack['getLogicalId']>[0]);

const statementsOf = (role: { node: { defaultChild?: unknown } }): Statement[] =>
  Object.values(template.findResources('AWS::IAM::Policy'))
    .filter(({ Properties }) => JSON.stringify(Properties.Roles).includes(`"${idOf(role)}"`))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[])
    .filter(({ Action }) => ![Action].flat().some((action) => /^(logs|xray):/.test(action)));
const actionsOf = (role: { node: { defaultChild?: unknown } }) =>
  statementsOf(role)
    .flatMap(({ Action }) => Action)
    .toSorted();

/** Where each state may lead, by what may happen. */
const ways = ({ States }: Machine) =>
  Object.fromEntries(
    Object.entries(States).map(([name, state]) => [
      name,
      [
        ...(state.Choices ?? []).map(({ Next }) => Next),
        ...[state.Next, state.Default].filter((next) => next !== undefined),
        ...(state.Catch ?? []).map(({ Next }) => Next),
      ],
    ]),
  );

describe('the workflow of several secrets', () => {
  test('goes from the plan to its conclusion, step by step, whatever fails', () => {
    expect(ways(machine)).toEqual({
      Plan: ['Announce', 'Conclude'],
      Announce: ['Begin', 'Begin'],
      Begin: ['More steps?'],
      'More steps?': ['Take step', 'Conclude'],
      'Take step': ['Run step'],
      'Run step': ['Step done', 'Step done'],
      'Step done': ['More steps?'],
      Conclude: ['Concluded?'],
      'Concluded?': ['Proven', 'Rejected', 'Some failed', 'Left to people'],
      Proven: [],
      Rejected: [],
      'Some failed': [],
      'Left to people': [],
    });
  });

  test('runs the lanes of a step at once, as executions of their own, and no failure ends the others', () => {
    expect(machine.States['Run step']).toMatchObject({
      Type: 'Map',
      MaxConcurrency: 300,
      ToleratedFailurePercentage: 100,
      ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' } },
      ResultPath: null,
    });
    expect(lane.States['Secrets of the lane']).toMatchObject({ Type: 'Map', MaxConcurrency: 1 });
    expect(ways(lane)).toEqual({ 'Secrets of the lane': ['Lane done', 'Lane done'], 'Lane done': [] });
  });

  test('takes each secret through what its phase asks for, and ends it whatever fails', () => {
    expect(secret.StartAt).toBe('Which phase?');
    expect(ways(secret)).toEqual({
      'Which phase?': ['Contain at once', 'Read what was cut off'],
      'Contain at once': ['Keep what was cut off', 'Secret done'],
      'Keep what was cut off': ['Secret done', 'Secret done'],
      'Read what was cut off': ['Was it cut off?', 'Still to be cut off?'],
      'Was it cut off?': ['Recall it', 'Still to be cut off?'],
      'Recall it': ['Still to be cut off?'],
      'Still to be cut off?': ['Rotate', 'Secret done', 'Contain at once'],
      Rotate: ['Is it its turn?', 'Report'],
      'Is it its turn?': ['Wait for its turn', 'Contain'],
      'Wait for its turn': ['Rotate'],
      Contain: ['Verify', 'Rotate', 'Verify'],
      Verify: ['Report', 'Rotate', 'Report'],
      Report: ['Proven?', 'Secret done'],
      'Proven?': ['Secret done', 'Secret done', 'Secret done'],
      'Secret done': [],
    });
  });

  test('sends a rotation whose turn is later back when it has come', () => {
    expect(secret.States['Is it its turn?']?.Choices).toEqual([
      { Variable: '$.rotated.waitSeconds', IsPresent: true, Next: 'Wait for its turn' },
    ]);
    expect(secret.States['Wait for its turn']).toEqual({
      Type: 'Wait',
      SecondsPath: '$.rotated.waitSeconds',
      Next: 'Rotate',
    });
    expect(secret.States.Rotate?.ResultPath).toBe('$.rotated');
  });

  test('every task has a retry, and catches what is left; the two ends are tried for as long as they take', () => {
    const tasks = [machine, lane, secret].flatMap(({ States }) =>
      Object.entries(States).filter(([, { Type }]) => Type === 'Task' || Type === 'Map'),
    );
    for (const [name, { Retry = [], Catch = [] }] of tasks) {
      if (name !== 'Secrets of the lane') expect([name, Retry.length]).not.toEqual([name, 0]);
      const caught = Catch.at(-1)?.ErrorEquals;
      expect([name, caught]).toEqual([name, name === 'Conclude' ? undefined : ['States.ALL']]);
    }
    expect(machine.States.Conclude?.Retry?.flatMap(({ ErrorEquals }) => ErrorEquals)).toEqual(
      expect.arrayContaining(['AuditUnavailable', 'AuditRefused']),
    );
  });

  test('its roles may do what their step does, and read no value', () => {
    const { plans } = workflow;
    const selecting = [
      'iam:SimulatePrincipalPolicy',
      'secretsmanager:ListSecrets',
      'ssm:GetParametersByPath',
    ];
    const recording = ['events:PutEvents', 'kms:Decrypt', 'kms:GenerateDataKey', 'sqs:SendMessage'];
    expect(actionsOf(plans.preview.role)).toEqual(selecting);
    expect(actionsOf(plans.plan.role)).toEqual(
      [
        ...recording,
        ...selecting,
        ...['s3:GetObject', 's3:ListBucket', 's3:PutObject'],
        // What could not be announced goes to the queue that somebody looks at.
        ...['sqs:GetQueueAttributes', 'sqs:GetQueueUrl', 'sqs:SendMessage'],
      ].toSorted(),
    );
    expect(actionsOf(plans.conclude.role)).toEqual(
      [...recording, 'dynamodb:Query', 's3:GetObject', 's3:ListBucket'].toSorted(),
    );
    expect(
      actionsOf(plans.stateMachine.role).filter((action) => action.startsWith('secretsmanager')),
    ).toEqual([]);
    // Rotations are the function's to start, and outcomes the workflow's to keep.
    expect(actionsOf(workflow.rotate.role).filter((action) => action.startsWith('dynamodb'))).toEqual([
      'dynamodb:UpdateItem',
    ]);
  });

  test('the function that rotates takes its turns from the table of plans, at the pace that was asked for', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: Match.objectLike({
          REKEY_PACE_TABLE: { Ref: Match.stringLikeRegexp('^RevocationPlansTable') },
          REKEY_ROTATIONS_PER_SECOND: '7',
        }),
      },
    });
  });

  test.each([0, 1.5, 101])('a pace of %s is refused', (rotationsPerSecond) => {
    const other = new Stack(testApp({ flags: {} }), 'Other');
    const bus = new RekeyBus(other, 'Bus', { environment: 'test' });
    const auditQueue = new AuditLog(other, 'AuditLog', { bus, retention: Duration.days(1) }).queue;
    expect(
      () => new RevocationWorkflow(other, 'Revocation', { bus, auditQueue, secrets: [], rotationsPerSecond }),
    ).toThrow(/REKEY_ROTATIONS_PER_SECOND/);
  });

  test('its log holds no execution data', () => {
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      LoggingConfiguration: Match.objectLike({ Level: 'ALL', IncludeExecutionData: false }),
      TracingConfiguration: { Enabled: true },
      DefinitionString: Match.anyValue(),
    });
    template.resourcePropertiesCountIs(
      'AWS::StepFunctions::StateMachine',
      { LoggingConfiguration: Match.objectLike({ IncludeExecutionData: false }) },
      2,
    );
  });
});
