import { describe, expect, test } from '@jest/globals';
import type { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { defineConfig } from '../../lib/config/config.ts';
import type { SecretInput } from '../../lib/config/schema.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import type { AwsAccess, SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { registry, type SecretType, secretTypes } from '../../rotators/registry.ts';
import { allowedActions, type Statement, statements, testApp } from './support/app.ts';

const ofAws = secretTypes.flatMap((type): [SecretType, AwsAccess][] => {
  const entry: SecretTypeDescriptor = registry[type];
  return entry.aws === undefined ? [] : [[type, entry.aws]];
});
const account = '111122223333';
/** The type's example, in the environment's account. */
const exampleOf = ({ resources }: AwsAccess): string => resources.example.replace(/\d{12}/, account);

interface Policy {
  readonly Properties: { readonly PolicyDocument: { readonly Statement: Statement[] } };
}

/** An environment with one secret of a type. */
function environmentOf(type: SecretType, resources: readonly string[]): RekeyEnvironment {
  const adopt = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:target-AbCdEf';
  const [strategy] = registry[type].strategies;
  const { environments } = defineConfig({
    environments: {
      prod: {
        account,
        region: 'eu-central-1',
        audit: { retentionDays: 30 },
        secrets: {
          target: { type, strategy, adopt, owner: 'team', resources: [...resources] } as SecretInput,
        },
      },
    },
  });
  const settings = environments.prod;
  if (settings === undefined) throw new Error('no environment');
  return new RekeyEnvironment(testApp(), 'prod', {
    configuration: settings,
    directory: import.meta.dirname,
  });
}

/** Everything that any role of the rotation and the revocation stack may do, by what the statement is called. */
function statementsOf(type: SecretType, resources: readonly string[]): Statement[] {
  const stacks = environmentOf(type, resources);
  return [...stacks.rotations, stacks.revocation].flatMap((stack) =>
    Object.values<Policy>(Template.fromStack(stack).findResources('AWS::IAM::Policy') as never).flatMap(
      ({ Properties }) => Properties.PolicyDocument.Statement,
    ),
  );
}

test.each([
  ['rds-admin', 600, { Period: 3600, Threshold: 2 }],
  ['iam-access-key', 60, { Period: 300, Threshold: 1 }],
] as const)(
  '%s: its functions may take %d s, and the alarm on errors waits for a second try where it must',
  (type, seconds, alarm) => {
    const template = Template.fromStack(
      environmentOf(type, [exampleOf(registry[type].aws)]).rotations[0] as Stack,
    );
    const functions = template.findResources('AWS::Lambda::Function', {
      Properties: { Environment: { Variables: { REKEY_STRATEGY: Match.anyValue() } } },
    });
    expect(Object.values(functions).map(({ Properties }) => Properties.Timeout)).toEqual([seconds, seconds]);
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: Match.stringLikeRegexp('rotation-function-errors'),
      ...alarm,
    });
  },
);

describe.each(ofAws)('%s', (type, access) => {
  const { rotation, containment, sessionCutoff = [], tags, anyResource } = access;
  const example = exampleOf(access);
  test('its functions may change the named resources and no others, and describe what the registry says', () => {
    const all = statementsOf(type, [example]);
    const targets = all.filter(({ Sid }) => Sid?.startsWith('Targets'));
    expect(all.filter(({ Sid }) => Sid === 'TargetTags')).toEqual(
      tags === undefined
        ? []
        : [
            expect.objectContaining({
              Action: tags.actions,
              Resource: example,
              Condition: {
                'ForAllValues:StringLike': { 'aws:TagKeys': [tags.keys] },
                Null: { 'aws:TagKeys': 'false' },
              },
            }),
          ],
    );
    expect(targets.map(({ Action }) => [Action].flat().sort())).toEqual(
      expect.arrayContaining([rotation.toSorted(), containment.toSorted()]),
    );
    const sessions = all.filter(({ Sid }) => Sid === 'Sessions');
    expect(sessions.map(({ Action }) => [Action].flat())).toEqual(
      sessionCutoff.length === 0 ? [] : [sessionCutoff],
    );
    for (const { Resource } of [...targets, ...sessions]) {
      expect([Resource].flat()).toEqual([example]);
    }
    const changing = new Set([...rotation, ...containment, ...sessionCutoff]);
    const elsewhere = all.filter(
      ({ Sid, Action }) =>
        !Sid?.startsWith('Targets') &&
        Sid !== 'Sessions' &&
        [Action].flat().some((action) => changing.has(action)),
    );
    expect(elsewhere).toEqual([]);
    const finding = all.filter(({ Sid }) => Sid === 'FindTargets');
    const described = anyResource?.actions.toSorted();
    expect(finding.map(({ Action }) => [Action].flat().sort())).toEqual(
      described === undefined ? [] : [described, described],
    );
  });
});

describe('what ends sessions of IAM users', () => {
  const [user, other] = ['orders', 'shipping'].map((name) => `arn:aws:iam::111122223333:user/${name}`);
  const template = Template.fromStack(
    environmentOf('iam-access-key', [user ?? '', other ?? '']).rotations[0] as Stack,
  );
  const [id, { Properties }] = Object.entries(
    template.findResources('AWS::Lambda::Function', {
      Properties: { Environment: { Variables: { POWERTOOLS_SERVICE_NAME: 'session-cutoff' } } },
    }),
  )[0] as [string, { Properties: { Timeout: number } }];
  const permissionsOf = (role: RegExp) => statements(template, role);

  test('may write policies of its own users, and nothing else', () => {
    const all = permissionsOf(/SessionCutoff/);
    expect(all).toContainEqual(
      expect.objectContaining({ Sid: 'Sessions', Effect: 'Allow', Resource: [user, other] }),
    );
    expect(allowedActions(all)).toEqual([
      'iam:GetUserPolicy',
      'iam:PutUserPolicy',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
    template.resourcePropertiesCountIs('AWS::Lambda::Permission', { FunctionName: { Ref: id } }, 0);
  });

  test('is called by its containment function, which knows it by name and waits long enough', () => {
    const invoking = permissionsOf(/^Containment(?!\w*SessionCutoff)/).filter(({ Action }) =>
      [Action].flat().includes('lambda:InvokeFunction'),
    );
    expect(invoking).toEqual([
      {
        Sid: 'EndSessions',
        Effect: 'Allow',
        Action: 'lambda:InvokeFunction',
        Resource: { 'Fn::GetAtt': [id, 'Arn'] },
      },
    ]);
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: {
          POWERTOOLS_SERVICE_NAME: 'containment',
          REKEY_SESSION_CUTOFF_FUNCTION: { Ref: id },
        },
      },
    });
    expect(Properties.Timeout).toBeLessThan(15);
  });

  test('has alarms of its own', () => {
    for (const name of ['containment-function-errors-sessions-', 'function-throttled-session-cutoff-']) {
      template.hasResourceProperties('AWS::CloudWatch::Alarm', {
        AlarmName: Match.stringLikeRegexp(name),
        Dimensions: [{ Name: 'FunctionName', Value: { Ref: id } }],
      });
    }
  });
});
