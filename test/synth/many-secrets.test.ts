import { expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { defineConfig } from '../../lib/config/config.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { testApp } from './support/app.ts';

const arn = (name: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;
const key = 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555';
const { environments } = defineConfig({
  environments: {
    prod: {
      account: '111122223333',
      region: 'eu-central-1',
      audit: { retentionDays: 30 },
      secrets: Object.fromEntries(
        Array.from({ length: 80 }, (_, index) => [
          `service-${index}`,
          {
            type: 'postgresql' as const,
            strategy: 'alternating-users' as const,
            adopt: arn(`/prod/service-number-${index}/database`),
            encryptionKey: key,
            adminSecret: { adopt: arn('database-admin') },
            owner: 'team',
          },
        ]),
      ),
    },
  },
});

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const limits: Readonly<Record<string, number>> = {
  'AWS::IAM::Policy': 10_240,
  'AWS::IAM::ManagedPolicy': 6_144,
};

test('the policies for the secrets of a full stack stay within what IAM takes, and are there before the first rotation', () => {
  const settings = environments.prod;
  if (settings === undefined) throw new Error('no environment');
  const { rotations, revocation } = new RekeyEnvironment(testApp(), 'prod', {
    configuration: settings,
    directory: import.meta.dirname,
  });
  const resources = [...rotations, revocation].flatMap((stack) =>
    Object.entries<{ Type: string; Properties: Record<string, unknown>; DependsOn?: string[] }>(
      Template.fromStack(stack).toJSON().Resources,
    ),
  );
  const policies = resources.filter(([, { Type }]) => Type in limits);
  expect(policies.length).toBeGreaterThan(5);
  for (const [id, { Type, Properties }] of policies) {
    const size = JSON.stringify(Properties.PolicyDocument).length;
    expect([id, size <= (limits[Type] ?? 0)]).toEqual([id, true]);
  }
  const all = JSON.stringify(policies);
  expect(all.match(/service-number-\d+\//g)?.length).toBeGreaterThanOrEqual(320);
  const needed = policies.map(([id]) => id).filter((id) => id.startsWith('Rotation'));
  const schedules = resources.filter(([, { Type }]) => Type === 'AWS::SecretsManager::RotationSchedule');
  expect(schedules).toHaveLength(80);
  for (const [, { DependsOn = [] }] of schedules) {
    expect(DependsOn).toEqual(expect.arrayContaining(needed));
  }
});
