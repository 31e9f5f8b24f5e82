/**
 * What Fn::GetStackOutput answers, and when.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getstackoutput.html
 */

import { rm } from 'node:fs/promises';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { type LifeCycle, lifeCycle, parameter, stackOutput } from './support/life-cycle.ts';
import { refusalText } from './support/refusal.ts';

describe('Fn::GetStackOutput', () => {
  let directory: string;
  let cloud: LocalCloud;

  beforeAll(async () => {
    directory = await newFolder('references');
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
  const producer = (outputs: Record<string, unknown>) => ({
    Resources: { Parameter: parameter('of the producer') },
    Outputs: Object.fromEntries(Object.entries(outputs).map(([key, Value]) => [key, { Value }])),
  });
  const reader = (Value: unknown, more: Record<string, object> = {}) => ({
    Resources: { Reader: parameter(Value), ...more },
    Outputs: { Name: { Value: { Ref: 'Reader' } } },
  });
  const deployed = async (name: string, outputs: Record<string, unknown>): Promise<LifeCycle> => {
    const stack = lifeCycle(cloud, name);
    expect(await stack.create(producer(outputs))).toMatchObject({ status: 'CREATE_COMPLETE' });
    return stack;
  };

  test('reads an output that is not exported, also inside of other functions', async () => {
    const source = await deployed('source', { One: { Ref: 'Parameter' }, List: 'a||b', Plain: 'p' });
    const stack = lifeCycle(cloud, 'positions');
    const created = await stack.create({
      Resources: {
        Reader: parameter({
          'Fn::Join': [
            ' ',
            [
              stackOutput('source', 'Plain', { Region: { Ref: 'AWS::Region' } }),
              { 'Fn::Select': ['1', { 'Fn::Split': ['||', stackOutput('source', 'List')] }] },
              // biome-ignore lint/suspicious/noTemplateCurlyInString: Fn::Sub's own syntax
              { 'Fn::Sub': ['<${it}>', { it: stackOutput('source', 'Plain') }] },
            ],
          ],
        }),
      },
      Outputs: { Name: { Value: { Ref: 'Reader' } }, Again: { Value: stackOutput('source', 'One') } },
    });
    expect(created.status).toBe('CREATE_COMPLETE');
    expect(await held(created.outputs.Name)).toBe('p b <p>');
    expect(await held(created.outputs.Again)).toBe('of the producer');
    // The reference is weak: the producer may go while its reader stays.
    expect((await source.remove()).status).toBe('DELETE_COMPLETE');
    expect(await held(created.outputs.Name)).toBe('p b <p>');
  });

  test('of a missing stack, output or region fails the resource, and the stack rolls back', async () => {
    const cases = {
      'stack-missing': [stackOutput('nowhere', 'One'), 'stack nowhere does not exist in us-east-1'],
      'output-missing': [stackOutput('partial', 'Two'), 'stack partial in us-east-1 has no such output'],
      'region-missing': [
        stackOutput('partial', 'One', { Region: 'eu-west-1' }),
        'does not exist in eu-west-1',
      ],
    } as const;
    await deployed('partial', { One: '1' });
    for (const [name, [value, reason]] of Object.entries(cases)) {
      const ending = await lifeCycle(cloud, name).create(reader(value));
      expect(ending.status).toBe('ROLLBACK_COMPLETE');
      expect(ending.reasons).toContain(reason);
    }
  });

  test('of a stack that was deleted since fails the update and leaves the resource as it was', async () => {
    const source = await deployed('going', { One: 'first' });
    const stack = lifeCycle(cloud, 'staying');
    const created = await stack.create(reader(stackOutput('going', 'One')));
    await source.remove();
    const updated = await stack.update(reader(stackOutput('going', 'One'), { More: parameter('more') }));
    expect(updated.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(updated.reasons).toContain('stack going does not exist');
    expect(await held(created.outputs.Name)).toBe('first');
  });

  test('is resolved anew by an update, and an unchanged template is not an update', async () => {
    const source = await deployed('changing', { One: 'first' });
    const stack = lifeCycle(cloud, 'following');
    const template = reader(stackOutput('changing', 'One'));
    const created = await stack.create(template);
    expect((await source.update(producer({ One: 'second' }))).status).toBe('UPDATE_COMPLETE');
    // "the consuming stack is not automatically updated or notified"
    expect(await held(created.outputs.Name)).toBe('first');
    expect((await stack.plan(template)).status).toBe('FAILED');
    expect(await refusalText(stack.update(template))).toContain('No updates are to be performed.');
    const updated = await stack.update(reader(stackOutput('changing', 'One'), { More: parameter('more') }));
    expect(updated.status).toBe('UPDATE_COMPLETE');
    expect(await held(created.outputs.Name)).toBe('second');
  });

  test('in the place of Fn::ImportValue is a change whose value is known only after apply', async () => {
    const Export = { Name: 'weakened' };
    const source = lifeCycle(cloud, 'exporting');
    await source.create({
      Resources: { Parameter: parameter('x') },
      Outputs: { One: { Value: 'one', Export } },
    });
    const stack = lifeCycle(cloud, 'importing');
    const created = await stack.create(reader({ 'Fn::ImportValue': 'weakened' }));
    const plan = await stack.plan(reader(stackOutput('exporting', 'One')));
    expect(plan).toMatchObject({ status: 'CREATE_COMPLETE', changed: ['Reader'] });
    expect((await plan.execute()).status).toBe('UPDATE_COMPLETE');
    expect(await held(created.outputs.Name)).toBe('one');
  });

  test('reads an output that a change set of outputs alone added', async () => {
    const source = await deployed('growing', {});
    const plan = await source.plan(producer({ Late: 'late' }));
    expect(plan).toMatchObject({ status: 'CREATE_COMPLETE', changed: [] });
    expect((await plan.execute()).outputs).toEqual({ Late: 'late' });
    const created = await lifeCycle(cloud, 'late').create(reader(stackOutput('growing', 'Late')));
    expect(await held(created.outputs.Name)).toBe('late');
    expect((await source.plan(producer({ Late: 'late' }))).status).toBe('FAILED');
  });

  test('is refused in conditions, in the name of an export, in Fn::ImportValue, and without its arguments', async () => {
    const refused = async (template: object) =>
      await refusalText(
        lifeCycle(cloud, 'refused').create({ Resources: { P: parameter('x') }, ...template }),
      );
    const one = stackOutput('source', 'One');
    expect(await refused({ Conditions: { C: { 'Fn::Equals': [one, 'x'] } } })).toContain(
      'Cannot use Fn::GetStackOutput in Conditions',
    );
    expect(await refused({ Outputs: { O: { Value: 'x', Export: { Name: one } } } })).toContain(
      'The Name field of Export must not depend on',
    );
    expect(await refused(reader({ 'Fn::ImportValue': one }))).toContain('the attribute in Fn::ImportValue');
    expect(await refused(reader({ 'Fn::GetStackOutput': { StackName: 'source' } }))).toContain(
      'takes StackName and OutputName',
    );
  });
});
