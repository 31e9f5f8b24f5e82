import {
  DeleteParameterCommand,
  GetParametersByPathCommand,
  ParameterAlreadyExists,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { SsmBrakeStore, SsmBrakes } from '../../adapters/brake-store.ts';
import { releaseBrake } from '../../cli/brakes.ts';
import type { BrakeState } from '../../core/brake.ts';
import { answer, region } from './answers.ts';

const path = '/rekey/test/brakes/rotation';
const braked: BrakeState = {
  code: 'c',
  functionName: 'fn',
  proven: true,
  failed: ['a', 'b'],
  brakedAt: '2026-03-01T12:00:00.000Z',
};

function ssmWith(number: string, value: BrakeState): Map<string, string> {
  const held = new Map([[`${path}/${number}`, JSON.stringify(value)]]);
  const ssm = mockClient(SSMClient);
  ssm.on(GetParametersByPathCommand).callsFake(async () => ({
    Parameters: [...held].map(([Name, Value]) => ({ Name, Value })),
  }));
  ssm.on(PutParameterCommand).callsFake(async ({ Name, Value }) => {
    if (held.has(Name)) throw new ParameterAlreadyExists(answer(400));
    held.set(Name, Value);
    return { Version: 1 };
  });
  ssm.on(DeleteParameterCommand).callsFake(async ({ Name }) => {
    held.delete(Name);
    return {};
  });
  return held;
}

/** The kind of M5: one thing at the end of the numbers must not stop what counts on from there. */
const numbers = [String(Number.MAX_SAFE_INTEGER + 1), '9'.repeat(400)];

test.each(numbers)(
  'a state under a number that cannot be counted on from does not hold for ever (%s)',
  async (number) => {
    ssmWith(number, braked);
    await releaseBrake(new SsmBrakeStore(new SSMClient(region), path));
    expect((await new SsmBrakeStore(new SSMClient(region), path).read()).state?.brakedAt).toBeUndefined();
  },
);

test.each(numbers)(
  'nor does it keep the brake of a function from ever being engaged (%s)',
  async (number) => {
    ssmWith(number, { ...braked, brakedAt: undefined } as unknown as BrakeState);
    const store = new SsmBrakeStore(new SSMClient(region), path);
    const { version } = await store.read();
    expect(await store.replace(version, braked)).toBe(true);
    expect((await store.read()).state?.brakedAt).toBe(braked.brakedAt);
    expect((await new SsmBrakes(new SSMClient(region), 'test').list())[0]?.state.brakedAt).toBe(
      braked.brakedAt,
    );
  },
);
