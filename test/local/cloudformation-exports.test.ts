/**
 * What an exporting stack may not do while another one imports from it.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
 */

import { rm } from 'node:fs/promises';
import { CloudFormationClient, ListExportsCommand } from '@aws-sdk/client-cloudformation';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { lifeCycle, parameter } from './support/life-cycle.ts';

describe('exports', () => {
  let directory: string;
  let cloud: LocalCloud;

  beforeAll(async () => {
    directory = await newFolder('exports');
    cloud = await startCloud({ directory });
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const held = async (Name: string | undefined) => {
    const ssm = new SSMClient(cloud.clientOptions());
    return (await ssm.send(new GetParameterCommand({ Name }))).Parameter?.Value;
  };
  const exported = async () => {
    const { Exports } = await new CloudFormationClient(cloud.clientOptions()).send(
      new ListExportsCommand({}),
    );
    return (Exports ?? []).map((one) => `${one.Name}=${one.Value}`).sort();
  };
  const exporter = (value: string, exports: Record<string, string>) => ({
    Resources: { Parameter: parameter(value) },
    Outputs: {
      Name: { Value: { Ref: 'Parameter' } },
      ...Object.fromEntries(
        Object.entries(exports).map(([Name, Value]) => [Name, { Value, Export: { Name } }]),
      ),
    },
  });
  const importer = (...names: string[]) => ({
    Resources: Object.fromEntries(
      names.map((name) => [`Read${name}`, parameter({ 'Fn::ImportValue': { 'Fn::Sub': name } })]),
    ),
  });

  test('that is imported can be neither dropped nor changed, and the update rolls back', async () => {
    const source = lifeCycle(cloud, 'source');
    const { outputs } = await source.create(exporter('old', { One: '1', Two: '2' }));
    const reader = lifeCycle(cloud, 'reader');
    expect((await reader.create(importer('One'))).status).toBe('CREATE_COMPLETE');

    const dropped = await source.update(exporter('new', { Two: '2' }));
    expect(dropped.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(dropped.reasons).toContain('Export One cannot be deleted as it is in use by reader');
    // The resource was updated before the exports were looked at, and went back.
    expect(dropped.events).toContain('Parameter UPDATE_COMPLETE');
    expect(await held(outputs.Name)).toBe('old');

    const changed = await source.update(exporter('new', { One: 'other', Two: '2' }));
    expect(changed.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(changed.reasons).toContain('Export One cannot be updated as it is in use by reader');
    expect(await exported()).toEqual(['One=1', 'Two=2']);

    // What nobody imports may change or go; so may the rest once the reader let go of it.
    expect((await source.update(exporter('new', { One: '1', Two: '3' }))).status).toBe('UPDATE_COMPLETE');
    expect((await source.update(exporter('new', { One: '1' }))).status).toBe('UPDATE_COMPLETE');
    expect(await exported()).toEqual(['One=1']);
    await reader.update({ Resources: { Other: parameter('x') } });
    expect((await source.update(exporter('new', { One: 'other' }))).status).toBe('UPDATE_COMPLETE');
    expect((await source.update(exporter('new', {}))).status).toBe('UPDATE_COMPLETE');
    expect(await exported()).toEqual([]);
  });

  test('that is imported keeps its stack from being deleted, whatever state the importing stack is in', async () => {
    const source = lifeCycle(cloud, 'kept');
    const { outputs } = await source.create(exporter('kept', { Kept: '1' }));
    const reader = lifeCycle(cloud, 'keeper');
    await reader.create(importer('Kept'));
    const failed = await reader.update({ Resources: { ...importer('Kept', 'Missing').Resources } });
    expect(failed.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    const refused = await source.remove();
    expect(refused.status).toBe('CREATE_COMPLETE');
    expect(refused.reasons).toContain('Export Kept cannot be deleted as it is in use by keeper');
    expect(await held(outputs.Name)).toBe('kept');
    await reader.remove();
    expect((await source.remove()).status).toBe('DELETE_COMPLETE');
  });

  test('that does not exist fails the stack that imports it', async () => {
    const ending = await lifeCycle(cloud, 'early').create(importer('Nobody'));
    expect(ending.status).toBe('ROLLBACK_COMPLETE');
    expect(ending.reasons).toContain('No export named Nobody found');
  });

  test('has a name that no other stack in the region has', async () => {
    await lifeCycle(cloud, 'first').create(exporter('x', { Same: '1' }));
    const second = await lifeCycle(cloud, 'second').create(exporter('x', { Same: '2' }));
    expect(second.status).toBe('ROLLBACK_COMPLETE');
    expect(second.reasons).toContain('Export with name Same is already exported by stack first');
    expect(await exported()).toContain('Same=1');
  });
});
