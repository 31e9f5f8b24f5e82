import {
  DeleteParameterCommand,
  GetParametersByPathCommand,
  ParameterAlreadyExists,
  PutParameterCommand,
  SSMClient,
  ThrottlingException,
} from '@aws-sdk/client-ssm';
import { beforeEach, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { SsmBrakeStore, SsmBrakes } from '../../adapters/brake-store.ts';
import type { BrakeState } from '../../core/brake.ts';
import { answer, expectFailure, failureOf, region } from './answers.ts';

const ssm = mockClient(SSMClient);
const path = '/rekey/test/brakes/rotation';
const state = (proven: boolean): BrakeState => ({ code: 'c', functionName: 'fn', proven, failed: [] });
let held: Map<string, string>;

/** Systems Manager as it documents itself: a name is created once, and answers come in pages of any size. */
beforeEach(() => {
  held = new Map();
  ssm.reset();
  ssm.on(GetParametersByPathCommand).callsFake(async ({ Path, NextToken = '0' }) => {
    const found = [...held].filter(([name]) => name.startsWith(`${Path}/`));
    const page = found.slice(Number(NextToken), Number(NextToken) + 3);
    const next = Number(NextToken) + 3;
    return {
      Parameters: page.map(([Name, Value]) => ({ Name, Value })),
      ...(next < found.length && { NextToken: String(next) }),
    };
  });
  ssm.on(PutParameterCommand).callsFake(async ({ Name, Value, Overwrite }) => {
    if (held.has(Name) && !Overwrite) throw new ParameterAlreadyExists(answer(400));
    held.set(Name, Value);
    return { Version: 1 };
  });
  ssm.on(DeleteParameterCommand).callsFake(async ({ Name }) => {
    held.delete(Name);
    return {};
  });
});

test('there is nothing first; what replaces it is read, and of two that replace the same one is refused', async () => {
  const [one, other] = [
    new SsmBrakeStore(new SSMClient(region), path),
    new SsmBrakeStore(new SSMClient(region), path),
  ];
  expect(await one.read()).toEqual({ version: 0, state: undefined });
  expect(await one.replace(0, state(false))).toBe(true);
  expect(await other.replace(0, state(true))).toBe(false);
  expect(await other.read()).toEqual({ version: 1, state: state(false) });
});

test('old versions are taken away, and the newest counts in whatever order they are listed', async () => {
  const store = new SsmBrakeStore(new SSMClient(region), path);
  for (let version = 0; version < 12; version += 1) {
    expect(await store.replace(version, state(version === 11))).toBe(true);
  }
  expect([...held.keys()].sort()).toEqual([10, 11, 12, 8, 9].map((number) => `${path}/${number}`));
  expect(await store.read()).toEqual({ version: 12, state: state(true) });
});

test('a number that was taken, deleted and taken again by somebody late replaces nothing', async () => {
  const store = new SsmBrakeStore(new SSMClient(region), path);
  for (let version = 0; version < 8; version += 1) await store.replace(version, state(true));
  expect(await store.replace(1, state(false))).toBe(false);
  expect(await store.read()).toEqual({ version: 8, state: state(true) });
  expect(held.has(`${path}/2`)).toBe(false);
});

test('what cannot be read counts as nothing, and is replaced; what is no version is not looked at', async () => {
  held.set(`${path}/3`, 'by hand');
  held.set(`${path}/note`, 'by hand');
  const store = new SsmBrakeStore(new SSMClient(region), path);
  expect(await store.read()).toEqual({ version: 3, state: undefined });
  expect(await store.replace(3, state(true))).toBe(true);
});

test('a call that fails names itself', async () => {
  const store = new SsmBrakeStore(new SSMClient(region), path);
  ssm
    .on(GetParametersByPathCommand)
    .rejects(new ThrottlingException({ Message: 'slow down', ...answer(400) }));
  expectFailure(await failureOf(store.read()), 'Throttled', /ssm:GetParametersByPath on \/rekey\/test/);
  ssm
    .on(PutParameterCommand)
    .rejects(Object.assign(new Error('quoting hunter2'), { name: 'AccessDeniedException', $metadata: {} }));
  expectFailure(await failureOf(store.replace(0, state(true))), 'AccessDenied', /ssm:PutParameter/);
});

test('operators see the newest state of each function, and open one by its name', async () => {
  const client = new SSMClient(region);
  const store = new SsmBrakeStore(client, path);
  for (let version = 0; version < 3; version += 1) await store.replace(version, state(version === 2));
  held.set('/rekey/test/brakes/other/1', 'unreadable');
  const brakes = new SsmBrakes(client, 'test');
  expect(await brakes.list()).toEqual([{ name: 'rotation', state: state(true) }]);
  expect(await brakes.open('rotation').read()).toEqual({ version: 3, state: state(true) });
});
