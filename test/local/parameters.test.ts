import { rm } from 'node:fs/promises';
import { GetParametersByPathCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SsmBrakeStore } from '../../adapters/brake-store.ts';
import type { BrakeState } from '../../core/brake.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { refusal } from './support/refusal.ts';
import { allow } from './support/stack.ts';

const own = '/rekey/test/brakes/own';
const state = (secret: string): BrakeState => ({
  code: 'code',
  functionName: 'fn',
  proven: true,
  failed: [secret],
});

/** What the brake of a rotation function relies on, with the permissions that its role has. */
describe('parameters of Systems Manager', () => {
  let directory: string;
  let cloud: LocalCloud;
  let ssm: SSMClient;

  beforeAll(async () => {
    directory = await newFolder('parameters');
    cloud = await startCloud({ directory });
    const below = `arn:aws:ssm:${cloud.region}:${cloud.accountId}:parameter${own}`;
    const { credentials } = await createUser(cloud, 'function', [
      { ...allow('ssm:GetParametersByPath'), Resource: [below, `${below}/*`] },
      {
        ...allow('ssm:PutParameter'),
        Resource: `${below}/*`,
        Condition: { StringNotEquals: { 'ssm:Overwrite': 'true' } },
      },
      { ...allow('ssm:DeleteParameter'), Resource: `${below}/*` },
    ]);
    ssm = new SSMClient(cloud.clientOptions(credentials));
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
  test('of many that create the same name one succeeds', async () => {
    const stores = Array.from({ length: 8 }, () => new SsmBrakeStore(ssm, own));
    const { version } = await (stores[0] as SsmBrakeStore).read();
    const won = await Promise.all(
      stores.map(async (store, index) => ({ index, done: await store.replace(version, state(`${index}`)) })),
    );
    const winners = won.filter(({ done }) => done);
    expect(winners).toHaveLength(1);
    expect(await new SsmBrakeStore(ssm, own).read()).toEqual({
      version: version + 1,
      state: state(`${winners[0]?.index}`),
    });
  });

  test('many versions after one another leave the five highest', async () => {
    const store = new SsmBrakeStore(ssm, own);
    for (let count = 0; count < 12; count += 1) {
      const { version } = await store.read();
      expect(await store.replace(version, state(`${count}`))).toBe(true);
    }
    const { Parameters = [] } = await ssm.send(new GetParametersByPathCommand({ Path: own }));
    expect(Parameters).toHaveLength(5);
    expect((await store.read()).state).toEqual(state('11'));
  });

  // https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-policy-conditions.html
  test('whoever may only create overwrites nothing, and reaches no other brake', async () => {
    const { version } = await new SsmBrakeStore(ssm, own).read();
    const put = (Name: string, Overwrite: boolean) =>
      refusal(ssm.send(new PutParameterCommand({ Name, Value: 'x', Type: 'String', Overwrite })));
    expect(await put(`${own}/${version}`, true)).toBe('AccessDeniedException');
    expect(await put(`${own}/${version}`, false)).toBe('ParameterAlreadyExists');
    expect(await put('/rekey/test/brakes/other/1', false)).toBe('AccessDeniedException');
    await expect(new SsmBrakeStore(ssm, '/rekey/test/brakes/other').read()).rejects.toMatchObject({
      code: 'AccessDenied',
    });
  });
});
