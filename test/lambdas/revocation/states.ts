import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { planStates } from '../../../lib/revocation/plan-states.ts';
import { revocationStates } from '../../../lib/revocation/revocation-states.ts';
import { type Execution, type Json, type Machine, machineOf, runMachine } from './states-language.ts';

const names = ['rotate', 'report', 'plan', 'conclude'] as const;

/** A stack, and the functions that the states name. */
function stackWithFunctions() {
  const outdir = mkdtempSync(join(tmpdir(), 'rekey-states-'));
  const stack = new Stack(new App({ outdir }), 'States', {
    env: { account: '111122223333', region: 'eu-central-1' },
  });
  // Nothing is synthesized, so nothing is in it.
  rmdirSync(outdir);
  const [rotate, report, plan, conclude] = names.map((name) =>
    LambdaFunction.fromFunctionArn(stack, name, `arn:aws:lambda:eu-central-1:111122223333:function:${name}`),
  ) as [LambdaFunction, LambdaFunction, LambdaFunction, LambdaFunction];
  return { stack, functions: { rotate, report, plan, conclude } };
}

/** Makes a value when it is first asked for, and keeps it. */
function once<Value extends object>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** The workflow of one secret, as the construct writes it. */
const workflow = once(() => {
  const { stack, functions } = stackWithFunctions();
  return machineOf(stack, revocationStates(stack, functions));
});

/** The workflow of several secrets, as the construct writes it. */
export const planWorkflow: () => Machine = once(() => {
  const { stack, functions } = stackWithFunctions();
  const states = planStates(stack, {
    functions,
    bucket: new Bucket(stack, 'Plans'),
    table: new Table(stack, 'Outcomes', { partitionKey: { name: 'requestId', type: 'S' as never } }),
    maxConcurrency: 300,
  });
  return machineOf(stack, states);
});

/** The functions that exist, by name; which ones may change while an execution runs. */
export type Functions = () => Readonly<Record<string, (input: unknown) => Promise<unknown>>>;

/** Calls a function of those that exist. */
export function invokeOf(functions: Functions) {
  return async (name: string, input: unknown): Promise<unknown> => {
    const found = functions()[name];
    if (found !== undefined) return await found(input);
    throw Object.assign(new Error(`no function ${name}`), { name: 'Lambda.ResourceNotFoundException' });
  };
}

/** Runs the workflow of one secret. */
export const execute = (functions: Functions, input: Json): Promise<Execution> =>
  runMachine(workflow(), input, { invoke: invokeOf(functions) });
