import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { assignShards, type ShardAssignment } from '../../lib/shards/assignment.ts';
import { demandsOf } from '../../lib/shards/capacity.ts';
import { RekeyEnvironment } from '../../lib/stacks/rekey-environment.ts';
import { testApp } from './support/app.ts';
import { manySecrets } from './support/many.ts';

const assign = (configuration: ReturnType<typeof manySecrets>, recorded?: ShardAssignment) =>
  assignShards(demandsOf('prod', configuration), { environment: 'prod', recorded, nothingDeployed: true });

interface Resource {
  readonly Type: string;
  readonly Properties: {
    readonly PolicyDocument?: unknown;
    readonly Roles?: readonly { readonly Ref: string }[];
  };
}

/** A policy as long as it can get when it is deployed: references are ARNs then. */
const deployedSize = (document: unknown): number =>
  JSON.stringify(document, (_key, value: unknown) =>
    typeof value === 'object' &&
    value !== null &&
    ('Ref' in value || 'Fn::GetAtt' in value || 'Fn::GetStackOutput' in value)
      ? 'x'.repeat(120)
      : value,
  ).length;

describe.each([
  ['one type', 1],
  ['seven kinds', 7],
])('a thousand secrets of %s', (_, kinds) => {
  const configuration = manySecrets(1_000, kinds);
  const shards = assign(configuration);

  test('stay where they are when one comes and one goes', () => {
    const { 'service-0500': _gone, ...others } = configuration.secrets;
    const added = manySecrets(1_001, kinds).secrets['service-1000'];
    if (added === undefined) throw new Error('no secret');
    const next = assign({ ...configuration, secrets: { ...others, new: added } }, shards);
    expect(next.stacks).toBe(shards.stacks);
    for (const [name, shard] of Object.entries(next.secrets)) {
      if (name in shards.secrets) expect(next.secrets[name]).toBe(shards.secrets[name]);
      else expect(name).toContain('service-1000');
      expect(shard).toBeLessThan(next.stacks);
    }
  });
});

describe('a thousand secrets of seven kinds, synthesized', () => {
  let templates: Map<
    string,
    { readonly size: number; readonly resources: Record<string, Resource>; outputs: number }
  >;
  beforeAll(async () => {
    const configuration = manySecrets(1_000);
    const app = testApp({ rules: true });
    new RekeyEnvironment(app, 'prod', {
      configuration,
      directory: import.meta.dirname,
      shards: assign(configuration),
    });
    const assembly = app.synth();
    templates = new Map();
    for (const { stackName, templateFile } of assembly.stacksRecursively) {
      const file = join(assembly.directory, templateFile);
      const template = JSON.parse(await readFile(file, 'utf8'));
      templates.set(stackName, {
        size: statSync(file).size,
        resources: template.Resources,
        outputs: Object.keys(template.Outputs ?? {}).length,
      });
    }
  }, 600_000);

  /** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
  test('are within what CloudFormation takes of a template', () => {
    for (const [name, { size, resources, outputs }] of templates) {
      expect([name, size < 1_000_000]).toEqual([name, true]);
      expect([name, Object.keys(resources).length <= 500]).toEqual([name, true]);
      expect([name, outputs <= 200]).toEqual([name, true]);
    }
    const secrets = [...templates.values()].flatMap(({ resources }) =>
      Object.values(resources).filter(({ Type }) => Type === 'AWS::SecretsManager::RotationSchedule'),
    );
    expect(secrets).toHaveLength(1_000);
  });

  /** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
  test('are within what IAM takes of a policy, and of policies for a role', () => {
    for (const [name, { resources }] of templates) {
      const managed = new Map<string, number>();
      for (const [id, { Type, Properties }] of Object.entries(resources)) {
        const limit = { 'AWS::IAM::Policy': 10_240, 'AWS::IAM::ManagedPolicy': 6_144 }[Type];
        if (limit === undefined) continue;
        const size = deployedSize(Properties.PolicyDocument);
        expect([name, id, size <= limit ? 'fits' : size]).toEqual([name, id, 'fits']);
        for (const { Ref } of Type === 'AWS::IAM::ManagedPolicy' ? (Properties.Roles ?? []) : []) {
          managed.set(Ref, (managed.get(Ref) ?? 0) + 1);
        }
      }
      for (const [role, count] of managed) expect([role, count <= 10]).toEqual([role, true]);
    }
  });
});
