import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { assignShards, type ShardAssignment } from '../../lib/config/shards/assignment.ts';
import { demandsOf } from '../../lib/config/shards/capacity.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { testApp } from './support/app.ts';
import { type Grant, grantsOf, type Resources, secretNamed } from './support/grants.ts';
import { manySecrets } from './support/many.ts';
import { wideGrants } from './support/wildcards.ts';

const assign = (configuration: ReturnType<typeof manySecrets>, recorded?: ShardAssignment) =>
  assignShards(demandsOf('prod', configuration), { environment: 'prod', recorded, nothingDeployed: true });

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
    // A new one makes a stack only where no stack has room for it.
    expect(next.stacks - shards.stacks).toBeLessThanOrEqual(1);
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
    { readonly size: number; readonly resources: Resources; outputs: number; after: string[] }
  >;
  beforeAll(async () => {
    const configuration = { ...manySecrets(1_000), fingerprints: true };
    const app = testApp({ rules: true });
    new RekeyEnvironment(app, 'prod', {
      configuration,
      directory: import.meta.dirname,
      shards: assign(configuration),
    });
    const assembly = app.synth();
    templates = new Map();
    for (const { stackName, templateFile, dependencies } of assembly.stacksRecursively) {
      const file = join(assembly.directory, templateFile);
      const template = JSON.parse(await readFile(file, 'utf8'));
      templates.set(stackName, {
        size: statSync(file).size,
        resources: template.Resources,
        outputs: Object.keys(template.Outputs ?? {}).length,
        after: dependencies.flatMap((other) => ('stackName' in other ? [String(other.stackName)] : [])),
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
        for (const { Ref } of Type === 'AWS::IAM::ManagedPolicy'
          ? ((Properties.Roles ?? []) as { readonly Ref: string }[])
          : []) {
          managed.set(Ref, (managed.get(Ref) ?? 0) + 1);
        }
      }
      for (const [role, count] of managed) expect([role, count <= 10]).toEqual([role, true]);
    }
  });

  /** An adopted secret is known by its name alone, and Secrets Manager adds six characters to that. */
  const isWide = ({ action, resource }: Grant) =>
    action.includes('*') || /[*?]/.test(resource.replace(/-\?{6}$/, ''));

  test('are named one by one in every policy, but for what is listed with its reason', () => {
    const wide = [...templates.values()].flatMap(({ resources }) => grantsOf(resources)).filter(isWide);
    const allows = (entry: (typeof wideGrants)[number], { role, action, resource, condition }: Grant) =>
      entry.roles.test(role) &&
      entry.actions.includes(action) &&
      entry.resource.test(resource) &&
      Object.entries(entry.tags ?? {}).every(
        ([key, value]) => condition.StringEquals?.[`aws:ResourceTag/${key}`] === value,
      );
    const text = ({ role, action, resource }: Grant) => `${role}: ${action} on ${resource}`;
    expect(wide.filter((grant) => !wideGrants.some((entry) => allows(entry, grant))).map(text)).toEqual([]);
    // What nobody needs any more leaves the list.
    for (const entry of wideGrants) {
      for (const action of entry.actions) {
        const used = wide.some((grant) => grant.action === action && allows(entry, grant));
        expect([String(entry.roles), action, used]).toEqual([String(entry.roles), action, true]);
      }
    }
  });

  test('are known to exactly the functions that rotate them', () => {
    let scheduled = 0;
    for (const { resources } of templates.values()) {
      const expected = new Map<string, Set<string>>();
      for (const { Type, Properties } of Object.values(resources)) {
        if (Type !== 'AWS::SecretsManager::RotationSchedule') continue;
        const { RotationLambdaARN, SecretId } = Properties as {
          RotationLambdaARN: { 'Fn::GetAtt': [string] };
          SecretId: string;
        };
        const { Role } = (resources[RotationLambdaARN['Fn::GetAtt'][0]]?.Properties ?? {}) as {
          Role?: { 'Fn::GetAtt': [string] };
        };
        const role = Role?.['Fn::GetAtt'][0] ?? '';
        expected.set(role, (expected.get(role) ?? new Set()).add(secretNamed(SecretId, resources)));
        scheduled += 1;
      }
      const writable = new Map<string, Set<string>>();
      for (const { role, action, resource } of grantsOf(resources)) {
        if (action !== 'secretsmanager:PutSecretValue') continue;
        writable.set(role, (writable.get(role) ?? new Set()).add(secretNamed(resource, resources)));
      }
      expect(writable).toEqual(expected);
    }
    expect(scheduled).toBe(1_000);
  });

  test('start ten first rotations at a time, over all stacks', () => {
    const stacks = [...templates].filter(([name]) => /-rotation(-\d+)?$/.test(name));
    expect(stacks.length).toBeGreaterThan(8);
    let started = 0;
    for (const [number, [name, { resources, after }]] of stacks.entries()) {
      // A stack is deployed once the one before it is done.
      const before = stacks[number - 1]?.[0] ?? 'rekey-prod-foundation';
      expect([name, after]).toEqual([name, expect.arrayContaining([before])]);
      const firsts = Object.entries(resources).filter(
        ([, { Type }]) => Type === 'Custom::RekeyFirstRotation',
      );
      const ids = new Set(firsts.map(([id]) => id));
      const waitedFor = firsts.flatMap(([, { DependsOn = [] }]) =>
        DependsOn.filter((other) => ids.has(other)),
      );
      expect(new Set(waitedFor).size).toBe(waitedFor.length);
      expect([name, firsts.length - waitedFor.length <= 10]).toEqual([name, true]);
      started += firsts.length;
    }
    expect(started).toBeGreaterThan(800);
  });
});
