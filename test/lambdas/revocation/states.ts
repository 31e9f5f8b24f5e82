import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type IChainable, StateGraph } from 'aws-cdk-lib/aws-stepfunctions';
import { revocationStates } from '../../../lib/revocation/revocation-states.ts';

type Json = Record<string, unknown>;

interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly Parameters?: Json;
  readonly ResultSelector?: Json;
  readonly ResultPath?: string;
  readonly Next?: string;
  readonly End?: boolean;
  readonly Retry?: readonly { ErrorEquals: string[]; MaxAttempts: number }[];
  readonly Catch?: readonly { ErrorEquals: string[]; ResultPath: string; Next: string }[];
  readonly Choices?: readonly { Variable: string; StringEquals: string; Next: string }[];
  readonly Default?: string;
}

/** The workflow's definition as the construct writes it. */
function definition(): { StartAt: string; States: Record<string, State> } {
  const outdir = mkdtempSync(join(tmpdir(), 'rekey-states-'));
  const stack = new Stack(new App({ outdir }), 'States', {
    env: { account: '111122223333', region: 'eu-central-1' },
  });
  const fn = (name: string) =>
    LambdaFunction.fromFunctionArn(stack, name, `arn:aws:lambda:eu-central-1:111122223333:function:${name}`);
  const chain: IChainable = revocationStates(stack, { rotate: fn('rotate'), report: fn('report') });
  // Nothing is synthesized, so nothing is in it.
  rmdirSync(outdir);
  const json = JSON.stringify(stack.resolve(new StateGraph(chain.startState, 'revocation').toGraphJson()));
  return JSON.parse(json, (_, value) => {
    const parts: unknown[] | undefined = value?.['Fn::Join']?.[1];
    return parts?.map((part) => (typeof part === 'string' ? part : 'aws')).join('') ?? value;
  });
}

/** What an execution came to. */
export interface Execution {
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly path: readonly string[];
  /** Everything that Step Functions would have kept. */
  readonly history: readonly unknown[];
}

/** The functions that exist, by name; which ones may change while an execution runs. */
export type Functions = () => Readonly<Record<string, (input: unknown) => Promise<unknown>>>;

function called(functions: Functions, name: string) {
  const found = functions()[name];
  if (found !== undefined) return found;
  throw Object.assign(new Error(`no function ${name}`), { name: 'Lambda.ResourceNotFoundException' });
}

/** As much of the Amazon States Language as the workflow uses. */
export async function execute(functions: Functions, input: Json): Promise<Execution> {
  const { StartAt, States } = definition();
  const path: string[] = [];
  const history: unknown[] = [structuredClone(input)];
  let data: Json = input;
  let name: string | undefined = StartAt;
  while (name !== undefined) {
    path.push(name);
    const state: State | undefined = States[name];
    switch (state?.Type) {
      case 'Choice':
        name =
          state.Choices?.find(({ Variable, StringEquals }) => at(data, Variable) === StringEquals)?.Next ??
          state.Default;
        break;
      case 'Succeed':
        return { status: 'SUCCEEDED', path, history };
      case 'Fail':
        return { status: 'FAILED', path, history };
      case 'Task': {
        const { output, next } = await task(state, data, functions);
        history.push(structuredClone(output));
        data = output;
        name = next;
        break;
      }
      default:
        throw new Error(`state ${name} is not understood`);
    }
  }
  throw new Error('the execution ended without an end');
}

async function task(
  state: State,
  data: Json,
  functions: Functions,
): Promise<{ output: Json; next: string | undefined }> {
  const parameters = state.Parameters === undefined ? undefined : (fill(state.Parameters, data) as Json);
  const viaService = state.Resource?.endsWith(':states:::lambda:invoke') ?? false;
  const name = viaService ? String(parameters?.FunctionName) : (state.Resource ?? '').split(':').at(-1);
  const left = new Map(state.Retry?.map((rule) => [rule, rule.MaxAttempts]));
  for (;;) {
    try {
      const payload = viaService ? parameters?.Payload : (parameters ?? data);
      const result = await called(functions, name ?? '')(structuredClone(payload));
      const raw = viaService ? { Payload: result, StatusCode: 200 } : result;
      const selected = state.ResultSelector === undefined ? raw : fill(state.ResultSelector, raw as Json);
      return { output: place(data, state.ResultPath, selected), next: state.Next };
    } catch (error) {
      const { name: code, message } = error as Error;
      const rule = state.Retry?.find(({ ErrorEquals }) => ErrorEquals.includes(code));
      const attempts = rule === undefined ? 0 : (left.get(rule) ?? 0);
      if (rule !== undefined && attempts > 0) {
        left.set(rule, attempts - 1);
        continue;
      }
      const caught = state.Catch?.find(({ ErrorEquals }) =>
        ErrorEquals.some((one) => one === code || one === 'States.ALL'),
      );
      if (caught === undefined) {
        throw error;
      }
      const failure = { Error: code, Cause: JSON.stringify({ errorType: code, errorMessage: message }) };
      return { output: place(data, caught.ResultPath, failure), next: caught.Next };
    }
  }
}

function fill(template: unknown, data: Json): unknown {
  if (typeof template !== 'object' || template === null) {
    return template;
  }
  return Object.fromEntries(
    Object.entries(template).map(([key, value]) =>
      key.endsWith('.$') ? [key.slice(0, -2), at(data, String(value))] : [key, fill(value, data)],
    ),
  );
}

function at(data: Json, path: string): unknown {
  const parts = path.split('.').slice(1);
  let value: unknown = data;
  for (const part of parts) {
    const object = value as Json;
    if (!Object.hasOwn(object, part)) {
      throw new Error(`the state has no ${path}`);
    }
    value = object[part];
  }
  return value;
}

function place(data: Json, path: string | undefined, result: unknown): Json {
  return path === undefined ? (result as Json) : { ...data, [path.slice(2)]: result };
}
