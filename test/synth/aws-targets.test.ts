import { describe, expect, test } from '@jest/globals';
import type { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { defineConfig } from '../../lib/config/config.ts';
import { RekeyEnvironment } from '../../lib/stacks/rekey-environment.ts';
import {
  type AwsAccess,
  registry,
  type SecretType,
  type SecretTypeEntry,
  secretTypes,
} from '../../rotators/registry.ts';
import { type Statement, testApp } from './support/app.ts';

const ofAws = secretTypes.flatMap((type): [SecretType, AwsAccess][] => {
  const entry: SecretTypeEntry = registry[type];
  return entry.aws === undefined ? [] : [[type, entry.aws]];
});

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
        ...{ account: '111122223333', region: 'eu-central-1', audit: { retentionDays: 30 } },
        secrets: { target: { ...{ type, strategy, adopt, owner: 'team' }, resources: [...resources] } },
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
    const { example } = registry[type].aws.resources;
    const template = Template.fromStack(environmentOf(type, [example]).rotations[0] as Stack);
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

describe.each(ofAws)('%s', (type, { resources, rotation, containment, tags, anyResource }) => {
  test('its functions may change the named resources and no others, and describe what the registry says', () => {
    const all = statementsOf(type, [resources.example]);
    const targets = all.filter(({ Sid }) => Sid?.startsWith('Targets'));
    expect(all.filter(({ Sid }) => Sid === 'TargetTags')).toEqual(
      tags === undefined
        ? []
        : [
            expect.objectContaining({
              Action: tags.actions,
              Resource: resources.example,
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
    for (const { Resource } of targets) expect([Resource].flat()).toEqual([resources.example]);
    const changing = new Set([...rotation, ...containment]);
    const elsewhere = all.filter(
      ({ Sid, Action }) =>
        !Sid?.startsWith('Targets') && [Action].flat().some((action) => changing.has(action)),
    );
    expect(elsewhere).toEqual([]);
    const finding = all.filter(({ Sid }) => Sid === 'FindTargets');
    const described = anyResource?.actions.toSorted();
    expect(finding.map(({ Action }) => [Action].flat().sort())).toEqual(
      described === undefined ? [] : [described, described],
    );
  });
});
