import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
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

/** Everything that any role of the rotation and the revocation stack may do, by what the statement is called. */
function statementsOf(type: SecretType, resources: readonly string[]): Statement[] {
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
  const stacks = new RekeyEnvironment(testApp(), 'prod', {
    configuration: settings,
    directory: import.meta.dirname,
  });
  return [stacks.rotation, stacks.revocation].flatMap((stack) =>
    Object.values<Policy>(Template.fromStack(stack).findResources('AWS::IAM::Policy') as never).flatMap(
      ({ Properties }) => Properties.PolicyDocument.Statement,
    ),
  );
}

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
