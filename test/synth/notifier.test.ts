import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { notifierSettingsSchema } from '../../core/notification/settings.ts';
import { ConfigurationError, defineConfig } from '../../lib/config/config.ts';
import { Notifier, type NotifierInput, RekeyBus } from '../../lib/index.ts';
import { allowedActions, statements, testApp } from './support/app.ts';

const directory = mkdtempSync(join(tmpdir(), 'rekey-notifier-'));
beforeAll(() => writeFileSync(join(directory, 'own.pem'), 'PEM'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function synthesize(notifications: NotifierInput): Template {
  const app = testApp({ flags: {} });
  const stack = new Stack(app, 'app', { env: { account: '111122223333', region: 'eu-central-1' } });
  new Notifier(stack, 'Notifier', {
    bus: new RekeyBus(stack, 'Bus', { environment: 'prod' }),
    notifications,
    directory,
  });
  return Template.fromStack(stack);
}

const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555';
const channels: NotifierInput['channels'] = {
  chat: { kind: 'slack', secret: 'notify/chat', encryptionKey: keyArn },
  oncall: { kind: 'pagerduty', secret: 'notify/oncall', certificateAuthority: 'own.pem' },
  mail: { kind: 'sns', emails: ['ops@example.com'] },
  theirs: { kind: 'sns', topicArn: 'arn:aws:sns:eu-central-1:111122223333:ops' },
};

describe('a notifier', () => {
  let template: Template;
  beforeAll(() => {
    template = synthesize({ channels });
  });

  test('may read the secrets of its channels, send to its topics, and announce escalations; nothing else', () => {
    const all = statements(template, /^NotifierFunctionRole/);
    expect(allowedActions(all).toSorted()).toEqual([
      'dynamodb:BatchWriteItem',
      'dynamodb:DeleteItem',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'dynamodb:UpdateItem',
      'events:PutEvents',
      'kms:Decrypt',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:GetSecretValue',
      'sns:Publish',
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
      'sqs:ReceiveMessage',
      'ssm:GetParameter',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
    const of = (action: string) => all.filter(({ Action }) => [Action].flat().includes(action));
    expect(JSON.stringify(of('secretsmanager:GetSecretValue').map(({ Resource }) => Resource))).toMatch(
      /secret:notify\/chat-\?{6}.*secret:notify\/oncall-\?{6}/,
    );
    expect(of('events:PutEvents').map(({ Condition }) => Condition)).toEqual([
      {
        StringEquals: { 'events:source': 'rekey.notification', 'events:detail-type': ['Incident Escalated'] },
      },
    ]);
    expect(of('kms:Decrypt')).toMatchObject([
      {
        Resource: keyArn,
        Condition: { StringEquals: { 'kms:ViaService': 'secretsmanager.eu-central-1.amazonaws.com' } },
      },
    ]);
  });

  test('gets the kinds of events that somebody may be told of, and no replays', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        'detail-type': Match.arrayWith([
          'Secret Rotation Failed',
          'Secret Revocation Started',
          'Incident Escalated',
        ]),
        'replay-name': [{ exists: false }],
      },
    });
    const rule = JSON.stringify(template.findResources('AWS::Events::Rule'));
    expect(rule).not.toContain('Secret Rotation Started');
    expect(JSON.stringify(synthesize({ channels, routes: [{ to: ['chat'] }] }).toJSON())).toContain(
      'Secret Rotation Started',
    );
  });

  test('has a queue whose messages outlive the call, come again as often as it counts, and end in dead letters', () => {
    template.hasResourceProperties('AWS::SQS::Queue', {
      VisibilityTimeout: 120,
      MessageRetentionPeriod: 1_209_600,
      RedrivePolicy: { maxReceiveCount: 12 },
    });
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 2 },
    });
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(1 minute)' });
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
    });
  });

  test('reads its settings in the form in which they are deployed, with the hosts of the vendors', () => {
    const [parameter] = Object.values(template.findResources('AWS::SSM::Parameter')).filter(
      ({ Properties }) => Properties.Name === '/rekey/prod/deployment/notifications',
    );
    const value = parameter?.Properties.Value;
    const text =
      typeof value === 'string'
        ? value
        : value['Fn::Join'][1].map((part: unknown) => (typeof part === 'string' ? part : 'arn')).join('');
    const settings = notifierSettingsSchema.parse(JSON.parse(text));
    expect(settings.channels.chat).toMatchObject({
      hosts: ['hooks.slack.com'],
      secret: 'notify/chat',
      emergencies: true,
    });
    expect(settings.channels.oncall).toMatchObject({ caFile: 'own.pem' });
    expect(settings.channels.theirs).toMatchObject({ topicArn: 'arn:aws:sns:eu-central-1:111122223333:ops' });
    expect(settings.channels.mail?.topicArn).toBe('arn');
  });
});

describe('a notifier refuses', () => {
  test.each<[string, NotifierInput, RegExp]>([
    ['no channel', {}, /notifications.channels: must name at least one channel/],
    [
      'a route to nowhere',
      { channels, routes: [{ to: ['chatt'] }] },
      /routes.0.to.0: there is no channel "chatt"; there are: chat, oncall, mail, theirs/,
    ],
    [
      'a step to nowhere',
      { channels, escalation: { steps: [{ afterMinutes: 5, to: ['nobody'] }] } },
      /escalation.steps.0.to.0: .*owner/,
    ],
    [
      'steps out of order',
      {
        channels,
        escalation: {
          steps: [
            { afterMinutes: 5, to: ['chat'] },
            { afterMinutes: 5, to: ['mail'] },
          ],
        },
      },
      /must be in order/,
    ],
    ['a channel called owner', { channels: { owner: { kind: 'slack', secret: 'a' } } }, /owner/],
    ['a mail to nobody', { channels: { mail: { kind: 'sns' } } }, /must have one of `emails` and `topicArn`/],
    [
      'a time zone that there is not',
      { channels, quietHours: { timeZone: 'Mars/Olympus', periods: [{ from: '22:00', to: '07:00' }] } },
      /IANA/,
    ],
    [
      'a host with a path',
      { channels: { a: { kind: 'webhook', secret: 'a', hosts: ['a.example/x'] } } },
      /host name/,
    ],
    [
      'a secret whose ARN lacks its end',
      {
        channels: {
          a: { kind: 'slack', secret: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:a' },
        },
      },
      /full ARN/,
    ],
    ['runbooks without TLS', { channels, runbookUrl: 'http://runbooks.example/' }, /runbookUrl/],
  ])('%s', (_what, notifications, message) => {
    expect(() => synthesize(notifications)).toThrow(message);
  });

  test('two certificate files of one name, and more settings than a parameter holds', () => {
    const at = (folder: string) =>
      ({ kind: 'slack', secret: 'a', certificateAuthority: `${folder}/own.pem` }) as const;
    expect(() => synthesize({ channels: { a: at('one'), b: at('other') } })).toThrow(
      'two certificate files are called own.pem',
    );
    const owners = Array.from({ length: 50 }, (_, index) => `${'x'.repeat(120)}${index}`);
    const wide = (name: string) => ({ kind: 'slack', secret: name, owners }) as const;
    expect(() => synthesize({ channels: { a: wide('a'), b: wide('b') } })).toThrow(/holds 8192/);
  });
});

test('quiet hours and steps without anybody to tell are refused in the configuration, at their place', () => {
  const notifications = {
    quietHours: { timeZone: 'UTC', periods: [{ from: '22:00', to: '07:00' }] },
    escalation: { steps: [{ afterMinutes: 1, to: ['owner'] }] },
  };
  const configure = () =>
    defineConfig({ environments: { dev: { audit: { retentionDays: 1 }, notifications } } });
  expect(configure).toThrow(ConfigurationError);
  expect(configure).toThrow(/notifications.quietHours: needs `channels`/);
  expect(configure).toThrow(/notifications.escalation: needs `channels`/);
});
