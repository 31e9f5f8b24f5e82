import { beforeAll, describe, expect, test } from '@jest/globals';
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { isErrorCode, isRetryable } from '../../core/errors/codes.ts';
import { AuditLog } from '../../lib/audit/audit-log.ts';
import { RekeyBus } from '../../lib/events/rekey-bus.ts';
import { ContainmentFunction } from '../../lib/revocation/containment-function.ts';
import { RevocationWorkflow } from '../../lib/revocation/revocation-workflow.ts';
import { RotationFunction } from '../../lib/rotation/rotation-function.ts';
import { RotatedSecret } from '../../lib/secret/rotated-secret.ts';
import { testApp } from './support/app.ts';

interface Statement {
  readonly Sid?: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders-AbCdEf';
const inNamespace = {
  'Fn::Join': [
    '',
    ['arn:', { Ref: 'AWS::Partition' }, ':secretsmanager:eu-central-1:111122223333:secret:/test/*'],
  ],
};
/** It starts rotations, and cannot have another function or another schedule do them. */
const asConfigured = {
  BoolIfExists: { 'secretsmanager:ModifyRotationRules': 'false' },
  Null: {
    'secretsmanager:RotationLambdaARN': 'true',
    'secretsmanager:ExternalSecretRotationRoleArn': 'true',
  },
};
let template: Template;
let stack: Stack;
let workflow: RevocationWorkflow;
let containment: ContainmentFunction;
let rotation: RotationFunction;

beforeAll(() => {
  const app = testApp({ flags: {} });
  Validations.of(app).addPlugins(new AwsSolutionsChecks());
  stack = new Stack(app, 'Rekey', { env: { account: '111122223333', region: 'eu-central-1' } });
  const environment = 'test';
  const bus = new RekeyBus(stack, 'Bus', { environment });
  const auditQueue = new AuditLog(stack, 'AuditLog', { bus, retention: Duration.days(1) }).queue;
  const target = { environment, bus, auditQueue, type: 'postgresql', strategy: 'single-user' } as const;
  rotation = new RotationFunction(stack, 'RotationFunction', target);
  containment = new ContainmentFunction(stack, 'ContainmentFunction', target);
  const orders = new RotatedSecret(stack, 'Orders', {
    secret: { adopt: { id: arn } },
    rotation,
    containment,
    owner: 'team-orders',
  });
  workflow = new RevocationWorkflow(stack, 'Revocation', {
    bus,
    auditQueue,
    secrets: [orders],
    allowedSources: ['rekey.cli', 'acme.scanner'],
  });
  // Synthesis fails on any finding of cdk-nag that is not acknowledged.
  app.synth();
  template = Template.fromStack(stack);
});

const idOf = (construct: { node: { defaultChild?: unknown } }) =>
  stack.getLogicalId(construct.node.defaultChild as Parameters<Stack['getLogicalId']>[0]);
const arnOf = (construct: { node: { defaultChild?: unknown } }) => ({
  'Fn::GetAtt': [idOf(construct), 'Arn'],
});

/** A role's statements, without those that every function has. */
const statementsOf = (role: { node: { defaultChild?: unknown } }): Statement[] =>
  Object.values(template.findResources('AWS::IAM::Policy'))
    .filter(({ Properties }) => JSON.stringify(Properties.Roles).includes(`"${idOf(role)}"`))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[])
    .filter(({ Action }) => ![Action].flat().some((action) => /^(logs|xray):/.test(action)));

const states = (): Record<string, Record<string, unknown>> => {
  const [machine] = Object.values(template.findResources('AWS::StepFunctions::StateMachine'));
  const parts: unknown[] = machine?.Properties.DefinitionString['Fn::Join'][1];
  const text = parts.map((part) => (typeof part === 'string' ? part : 'reference')).join('');
  return JSON.parse(text).States;
};

/** What tells functions of the environment by their service. */
const functionsOf = (service: string) => ({
  StringEquals: {
    'aws:ResourceTag/rekey:environment': 'test',
    'aws:ResourceTag/rekey:service': service,
  },
});

describe('the revocation workflow', () => {
  test('the intake may find and start; it reads no value', () => {
    const statements = statementsOf(workflow.intake.role);
    expect(statements.map(({ Sid, Action }) => [Sid, Action])).toEqual([
      ['FindDefinition', 'ssm:GetParameter'],
      ['Start', 'states:StartExecution'],
      ['CompareRepeated', 'states:DescribeExecution'],
      ['FindVersionsOfEnvironment', ['secretsmanager:DescribeSecret', 'secretsmanager:ListSecretVersionIds']],
      ['FindVersions', ['secretsmanager:DescribeSecret', 'secretsmanager:ListSecretVersionIds']],
      [undefined, 'events:PutEvents'],
      ['AuditQueue', 'sqs:SendMessage'],
      ['AuditQueueKey', ['kms:Decrypt', 'kms:GenerateDataKey']],
      [undefined, ['sqs:SendMessage', 'sqs:GetQueueAttributes', 'sqs:GetQueueUrl']],
    ]);
    expect(statements.find(({ Sid }) => Sid === 'Start')?.Resource).toEqual([
      { Ref: idOf(workflow.stateMachine) },
      { Ref: idOf(workflow.plans.stateMachine) },
    ]);
    expect(statements.find(({ Sid }) => Sid === 'FindVersions')?.Resource).toEqual(arn);
    expect(statements.find(({ Action }) => Action === 'events:PutEvents')?.Condition).toEqual({
      StringEquals: {
        'events:source': 'rekey.revocation',
        'events:detail-type': ['Secret Revocation Started', 'Secret Revocation Rejected'],
      },
    });
  });

  test('the function that rotates may do that with the secrets, and no more', () => {
    expect(statementsOf(workflow.rotate.role)).toEqual([
      // The outcomes of secrets, in the same table, are not its to write.
      {
        Sid: 'TakeTurn',
        Effect: 'Allow',
        Action: 'dynamodb:UpdateItem',
        Resource: { 'Fn::GetAtt': [expect.stringMatching(/^RevocationPlansTable/), 'Arn'] },
        Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['pace#rotate'] } },
      },
      // A deploy may have given the secret another containment function.
      expect.objectContaining({ Sid: 'FindDefinition', Action: 'ssm:GetParameter' }),
      // Apps that join the environment may bring secrets that Rekey created.
      expect.objectContaining({
        Action: 'secretsmanager:RotateSecret',
        Resource: inNamespace,
        Condition: { ...asConfigured, StringEquals: { 'aws:ResourceTag/rekey:environment': 'test' } },
      }),
      expect.objectContaining({
        Action: ['secretsmanager:DescribeSecret', 'secretsmanager:ListSecretVersionIds'],
        Resource: inNamespace,
        Condition: { StringEquals: { 'aws:ResourceTag/rekey:environment': 'test' } },
      }),
      expect.objectContaining({
        Action: 'secretsmanager:RotateSecret',
        Resource: arn,
        Condition: asConfigured,
      }),
      expect.objectContaining({
        Action: ['secretsmanager:DescribeSecret', 'secretsmanager:ListSecretVersionIds'],
        Resource: arn,
      }),
      // Secrets Manager asks it of whoever starts a rotation.
      expect.objectContaining({ Action: 'lambda:InvokeFunction', Condition: functionsOf('rotation') }),
    ]);
  });

  test('retries and catches codes that there are, and retries only what passes', () => {
    type Rule = { readonly ErrorEquals: readonly string[] };
    const rules = (kind: 'Retry' | 'Catch') =>
      Object.values(states()).flatMap((state) =>
        ((state[kind] ?? []) as Rule[]).flatMap(({ ErrorEquals }) => ErrorEquals),
      );
    const own = (name: string) => !name.includes('.');
    const retried = [...new Set(rules('Retry').filter(own))];
    expect([...retried, ...rules('Catch').filter(own)].filter((code) => !isErrorCode(code))).toEqual([]);
    // A deploy may permit the first two at its end; credentials of a role that it made just now are known a little later.
    expect(retried.filter((code) => isErrorCode(code) && !isRetryable(code))).toEqual([
      'SecretAccessDenied',
      'RotationFunctionDenied',
      'CredentialsExpired',
      'CredentialsInvalid',
      // What somebody must mend first; the record of a revocation waits for that.
      'AuditRefused',
    ]);
  });

  test('the report may publish, and no more', () => {
    const actions = statementsOf(workflow.report.role).flatMap(({ Action }) => Action);
    expect(actions).toEqual([
      'dynamodb:UpdateItem',
      'events:PutEvents',
      'sqs:SendMessage',
      'kms:Decrypt',
      'kms:GenerateDataKey',
    ]);
  });

  test('the state machine may call its functions and the containment functions', () => {
    const invoking = statementsOf(workflow.stateMachine.role).filter(
      ({ Action }) => Action === 'lambda:InvokeFunction',
    );
    const own = invoking.filter(({ Condition }) => Condition === undefined);
    expect(own.flatMap(({ Resource }) => Resource)).toHaveLength(4);
    expect(own.flatMap(({ Resource }) => Resource)).toEqual(
      expect.arrayContaining([arnOf(workflow.rotate), arnOf(workflow.report)]),
    );
    // By name, one that a deploy has just made could not be invoked before the end of the deploy.
    expect(invoking.filter((statement) => !own.includes(statement))).toEqual([
      expect.objectContaining({ Sid: 'Contain', Condition: functionsOf('containment') }),
    ]);
  });

  test('functions of a secret carry the tags that let them be invoked; others do not', () => {
    const tagged = Object.entries(template.findResources('AWS::Lambda::Function')).flatMap(
      ([id, { Properties }]) => {
        const tags = (Properties.Tags ?? []) as { Key: string; Value: string }[];
        const service = tags.find(({ Key }) => Key === 'rekey:service')?.Value;
        return service === undefined ? [] : [[id, service]];
      },
    );
    expect(Object.fromEntries(tagged)).toEqual({
      [idOf(rotation.function)]: 'rotation',
      [idOf(containment.function)]: 'containment',
    });
  });

  test('each request reaches the intake, from whatever source, or the dead-letter queue', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        'detail-type': ['Secret Revocation Requested'],
        'replay-name': [{ exists: false }],
      },
      Targets: [
        Match.objectLike({
          Arn: arnOf(workflow.intake),
          DeadLetterConfig: { Arn: arnOf(workflow.deadLetterQueue) },
        }),
      ],
    });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: idOf(workflow.intake) },
      DestinationConfig: { OnFailure: { Destination: arnOf(workflow.deadLetterQueue) } },
    });
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: Match.objectLike({
          REKEY_REVOCATION_SOURCES: 'rekey.cli,acme.scanner',
          REKEY_REVOCATION_ACCOUNTS: '',
          REKEY_REVOCATION_MAXIMUM_AGE_HOURS: '24',
        }),
      },
    });
  });

  test('every task has a timeout, a retry, and a way to the report when it fails', () => {
    const tasks = Object.entries(states()).filter(([, { Type }]) => Type === 'Task');
    expect(tasks.map(([name]) => name).sort()).toEqual([
      'Contain',
      'Contain at once',
      'Report',
      'Rotate',
      'Verify',
    ]);
    const next = Object.fromEntries(
      tasks.map(([name, state]) => {
        expect(state.TimeoutSeconds).toBeGreaterThan(0);
        expect(state.Retry).not.toEqual([]);
        const caught = (state.Catch ?? []) as { ErrorEquals: string[]; Next: string }[];
        expect(caught.at(-1)?.ErrorEquals).toEqual(name === 'Report' ? undefined : ['States.ALL']);
        return [name, [state.Next, ...caught.map(({ Next }) => Next)]];
      }),
    );
    expect(next).toEqual({
      'Contain at once': ['Rotate', 'Rotate'],
      Rotate: ['Contain', 'Report'],
      // Where a deploy has replaced the function, the step that rotates looks up the one that is there now.
      Contain: ['Verify', 'Rotate', 'Verify'],
      Verify: ['Report', 'Rotate', 'Report'],
      Report: ['Proven?'],
    });
    expect(states()['Which first?']).toMatchObject({
      Choices: [{ Variable: '$.mode', StringEquals: 'kill', Next: 'Contain at once' }],
      Default: 'Rotate',
    });
  });

  test('a single revocation has no state that waits for a turn', () => {
    expect(Object.values(states()).filter(({ Type }) => Type === 'Wait')).toEqual([]);
  });

  test('its log holds no execution data', () => {
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      LoggingConfiguration: Match.objectLike({ Level: 'ALL', IncludeExecutionData: false }),
      TracingConfiguration: { Enabled: true },
    });
  });

  test('failures, rejections and stuck requests raise an alarm', () => {
    const names = Object.values(template.findResources('AWS::CloudWatch::Alarm'))
      .map(({ Properties }) => Properties.AlarmName as string)
      .filter((name) => name.includes('revocation'));
    expect(names.sort()).toEqual([
      'rekey-test-audit-publish-failed-revocation',
      'rekey-test-function-throttled-revocation-conclude',
      'rekey-test-function-throttled-revocation-intake',
      'rekey-test-function-throttled-revocation-plan',
      'rekey-test-function-throttled-revocation-preview',
      'rekey-test-function-throttled-revocation-report',
      'rekey-test-function-throttled-revocation-rotate',
      'rekey-test-revocation-dead-letters',
      'rekey-test-revocation-failed',
      'rekey-test-revocation-failed-plan-aborted',
      'rekey-test-revocation-failed-plan-failed',
      'rekey-test-revocation-failed-plan-timed-out',
      'rekey-test-revocation-failed-workflow-aborted',
      'rekey-test-revocation-failed-workflow-failed',
      'rekey-test-revocation-failed-workflow-timed-out',
      'rekey-test-revocation-function-errors-conclude',
      'rekey-test-revocation-function-errors-intake',
      'rekey-test-revocation-function-errors-plan',
      'rekey-test-revocation-function-errors-preview',
      'rekey-test-revocation-function-errors-report',
      'rekey-test-revocation-function-errors-rotate',
      'rekey-test-revocation-rejected',
      'rekey-test-revocation-unproven',
    ]);
  });

  test.each([
    ['failed', 'ExecutionsFailed'],
    ['timed-out', 'ExecutionsTimedOut'],
    ['aborted', 'ExecutionsAborted'],
  ])(
    'an execution that %s raises an alarm of its own, which a late data point still reaches',
    (how, metric) => {
      template.hasResourceProperties('AWS::CloudWatch::Alarm', {
        AlarmName: `rekey-test-revocation-failed-workflow-${how}`,
        MetricName: metric,
        Metrics: Match.absent(),
        EvaluationPeriods: 2,
        DatapointsToAlarm: 1,
        TreatMissingData: 'notBreaching',
      });
    },
  );

  test('a function that ran out of memory or time is called again', () => {
    for (const name of ['Contain at once', 'Rotate', 'Contain', 'Verify', 'Report']) {
      const { Retry } = states()[name] as { Retry: { ErrorEquals: string[] }[] };
      expect([name, Retry.flatMap(({ ErrorEquals }) => ErrorEquals)]).toEqual([
        name,
        expect.arrayContaining(['Lambda.Unknown', 'Sandbox.Timedout', 'Runtime.ExitError']),
      ]);
    }
  });
});
