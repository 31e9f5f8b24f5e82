import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { defineConfig } from '../../lib/config/config.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { type Statement, statements, testApp } from './support/app.ts';

const environmentOf = (settings: object): RekeyEnvironment => {
  const { dev } = defineConfig({
    environments: { dev: { audit: { retentionDays: 1 }, fingerprints: true, ...settings } },
  }).environments;
  if (dev === undefined) throw new Error('no environment dev');
  return new RekeyEnvironment(testApp(), 'dev', {
    configuration: dev,
    directory: import.meta.dirname,
  });
};
const templateOf = (environment: RekeyEnvironment): Template =>
  Template.fromStack(environment.signals as Stack);

/** What each statement of a role allows, by its Sid. */
const bySid = (all: readonly Statement[]): Record<string, string[]> =>
  Object.fromEntries(all.map(({ Sid = 'none', Action }) => [Sid, [Action].flat().toSorted()]));

const pem = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n';
const everything = {
  signals: {
    health: { answer: 'act' },
    guardduty: {},
    securityhub: {},
    github: { secret: 'scanners/github' },
    githubPartner: { publicKeys: { ['ab'.repeat(32)]: pem } },
    webhook: { secret: 'scanners/own', answer: 'act' },
  },
  honeySecrets: {
    root: { name: 'payments/root', owner: 'team-security' },
    key: { name: 'payments/deployer', owner: 'team-security', shape: 'access-key' },
  },
};

describe('an environment that listens to signals', () => {
  let environment: RekeyEnvironment;
  let template: Template;
  beforeAll(() => {
    environment = environmentOf(everything);
    template = templateOf(environment);
  });

  test('has a rule of the default bus for each kind of AWS, and none takes what a replay brings', () => {
    for (const [source, detail] of [
      ['aws.health', { eventTypeCode: Match.arrayWith(['AWS_RISK_CREDENTIALS_EXPOSED']) }],
      ['aws.guardduty', { type: Match.arrayWith(['UnauthorizedAccess:IAMUser/MaliciousIPCaller']) }],
      ['aws.securityhub', Match.anyValue()],
    ] as const) {
      template.hasResourceProperties('AWS::Events::Rule', {
        EventBusName: Match.absent(),
        State: 'ENABLED',
        EventPattern: Match.objectLike({ source: [source], detail, 'replay-name': [{ exists: false }] }),
      });
    }
  });

  test('hears of calls that only read, which a rule that is merely enabled does not get', () => {
    for (const detail of [
      { eventName: ['GetSecretValue', 'BatchGetSecretValue'] },
      { userIdentity: { accessKeyId: [{ Ref: Match.stringLikeRegexp('Key') }] } },
    ]) {
      template.hasResourceProperties('AWS::Events::Rule', {
        State: 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS',
        EventPattern: Match.objectLike({
          'detail-type': ['AWS API Call via CloudTrail'],
          detail: Match.objectLike(detail),
        }),
      });
    }
  });

  test('its functions find, look up, record and request, and read no secret but those of senders', () => {
    const [events, webhooks] = [/^SignalsEventsRole/, /^SignalsWebhooksRole/].map((role) =>
      statements(template, role),
    );
    const { none: _one, ...ofEvents } = bySid(events ?? []);
    const { none: _other, ...ofWebhooks } = bySid(webhooks ?? []);
    const common = {
      FindDefinition: ['ssm:GetParameter'],
      LookUp: ['lambda:InvokeFunction'],
      AuditQueue: ['sqs:SendMessage'],
      AuditQueueKey: ['kms:Decrypt', 'kms:GenerateDataKey'],
    };
    expect(ofEvents).toEqual(common);
    expect(ofWebhooks).toEqual({
      ...common,
      KeepUndone: ['sqs:SendMessage'],
      SenderSecrets: ['secretsmanager:GetSecretValue'],
    });
    const secrets = (webhooks ?? []).find(({ Sid }) => Sid === 'SenderSecrets')?.Resource;
    expect(JSON.stringify(secrets)).toMatch(/scanners\/github-\?{6}.*scanners\/own-\?{6}/);
  });

  test('lets only what may act request a revocation, as the source of signals', () => {
    const mayRequest = (settings: object, role: RegExp): boolean =>
      JSON.stringify(statements(templateOf(environmentOf(settings)), role)).includes(
        'Secret Revocation Requested',
      );
    expect(mayRequest(everything, /^SignalsEventsRole/)).toBe(true);
    const asks = {
      signals: { health: { answer: 'ask' }, github: { secret: 'scanners/github', answer: 'record' } },
    };
    expect(mayRequest(asks, /^SignalsEventsRole/)).toBe(false);
    expect(mayRequest(asks, /^SignalsWebhooksRole/)).toBe(false);
    const sources = (settings: object) =>
      JSON.stringify(Template.fromStack(environmentOf(settings).revocation).toJSON()).includes(
        'rekey.cli,rekey.signal',
      );
    expect([sources(everything), sources(asks)]).toEqual([true, false]);
  });

  test('a honey key is of a user that may do nothing, and its secret key stands in no template', () => {
    template.hasResourceProperties('AWS::IAM::Policy', {
      Users: [{ Ref: Match.stringLikeRegexp('HoneykeyUser') }],
      PolicyDocument: { Statement: [{ Sid: 'Nothing', Effect: 'Deny', Action: '*', Resource: '*' }] },
    });
    template.hasResourceProperties('AWS::SecretsManager::Secret', {
      Name: '/dev/payments/deployer',
      SecretString: {
        'Fn::Join': [
          '',
          Match.arrayWith([{ 'Fn::GetAtt': [Match.stringLikeRegexp('Key'), 'SecretAccessKey'] }]),
        ],
      },
    });
    template.hasResourceProperties('AWS::SecretsManager::Secret', {
      Name: '/dev/payments/root',
      GenerateSecretString: Match.objectLike({ GenerateStringKey: 'password' }),
      Description: Match.absent(),
    });
  });

  test('alarms for what is refused, given up or used', () => {
    const names = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
      ({ Properties }) => Properties.AlarmName as string,
    );
    expect(names.toSorted()).toEqual(
      [
        'rekey-dev-audit-publish-failed-signal',
        'rekey-dev-function-throttled-signal-events',
        'rekey-dev-function-throttled-signal-webhooks',
        'rekey-dev-honey-secret-used',
        'rekey-dev-signal-dead-letters',
        'rekey-dev-signal-function-errors-events',
        'rekey-dev-signal-function-errors-webhooks',
        'rekey-dev-signal-rejected',
        'rekey-dev-signal-to-decide',
      ].toSorted(),
    );
  });
});

test('an environment that listens to nothing has no stack for it', () => {
  expect(environmentOf({}).signals).toBeUndefined();
  expect(environmentOf({ signals: {} }).signals).toBeUndefined();
});

describe('a configuration is refused', () => {
  test.each([
    [
      'that acts where a second person must approve',
      { signals: { health: { answer: 'act' } }, approvals: { revocation: { kill: 'second person' } } },
      /signals\.health\.answer.*kill needs a second person here/,
    ],
    [
      'that could find no secret of a key',
      { signals: { guardduty: {} }, fingerprints: false },
      /signals\.guardduty.*needs fingerprints: true/,
    ],
    [
      'whose honey secret is a secret in use',
      {
        secrets: {
          root: { type: 'external', strategy: 'single-user', owner: 'o', adopt: '/dev/payments/root' },
        },
        honeySecrets: { root: { name: 'payments/root', owner: 'o' } },
      },
      /honeySecrets\.root.*names the same secret as secrets\.root/,
    ],
    [
      'that gives a private key to the partner program',
      { signals: { githubPartner: { publicKeys: { ['ab'.repeat(32)]: '-----BEGIN PRIVATE KEY-----' } } } },
      /must be a public key in PEM/,
    ],
  ])('%s', (_what, settings, message) => {
    expect(() => environmentOf(settings)).toThrow(message);
  });
});
