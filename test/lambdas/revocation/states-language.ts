import type { Stack } from 'aws-cdk-lib';
import { type IChainable, StateGraph } from 'aws-cdk-lib/aws-stepfunctions';

export type Json = Record<string, unknown>;

/** A state of the Amazon States Language, as far as Rekey's workflows use it. */
interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly Parameters?: Json;
  readonly ResultSelector?: Json;
  /** Null discards the result. */
  readonly ResultPath?: string | null;
  readonly Next?: string;
  readonly End?: boolean;
  readonly Retry?: readonly { ErrorEquals: string[]; MaxAttempts: number }[];
  readonly Catch?: readonly { ErrorEquals: string[]; ResultPath: string | null; Next: string }[];
  readonly Choices?: readonly Condition[];
  readonly Default?: string;
  readonly SecondsPath?: string;
  readonly MaxConcurrency?: number;
  readonly ItemsPath?: string;
  readonly ItemReader?: { readonly Parameters: Json };
  readonly ItemProcessor?: Machine;
}

interface Condition {
  readonly Variable: string;
  readonly Next: string;
  readonly StringEquals?: string;
  readonly BooleanEquals?: boolean;
  readonly NumericGreaterThan?: number;
  readonly NumericLessThanPath?: string;
  readonly IsPresent?: boolean;
}

/** The definition of a workflow, or of what a Map does with each item. */
export interface Machine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

/** Gives the definition that states of the CDK are written as. */
export function machineOf(stack: Stack, chain: IChainable): Machine {
  const json = JSON.stringify(stack.resolve(new StateGraph(chain.startState, 'workflow').toGraphJson()));
  return JSON.parse(json, (_, value) => {
    const parts: unknown[] | undefined = value?.['Fn::Join']?.[1];
    return parts?.map((part) => (typeof part === 'string' ? part : 'aws')).join('') ?? value;
  });
}

/** Everything outside of a workflow that its states use. */
export interface Surroundings {
  /** Calls a function by its name. Where `event` is true, nothing waits for it. */
  invoke(name: string, input: unknown, event: boolean): Promise<unknown>;
  /** Calls another service, such as `dynamodb:getItem`. */
  call?(service: string, parameters: Json): Promise<unknown>;
  /** Reads the items of a distributed Map. */
  items?(parameters: Json): Promise<readonly unknown[]>;
  wait?(seconds: number): Promise<void>;
}

/** What an execution came to. */
export interface Execution {
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly path: readonly string[];
  /** Everything that Step Functions would have kept. */
  readonly history: readonly unknown[];
}

/** Runs a workflow to its end. */
export async function runMachine(
  { StartAt, States }: Machine,
  input: Json,
  surroundings: Surroundings,
): Promise<Execution> {
  const path: string[] = [];
  const history: unknown[] = [structuredClone(input)];
  let data: Json = input;
  let name: string | undefined = StartAt;
  while (name !== undefined) {
    path.push(name);
    const state: State | undefined = States[name];
    switch (state?.Type) {
      case 'Choice':
        name = state.Choices?.find((condition) => holds(condition, data))?.Next ?? state.Default;
        continue;
      case 'Succeed':
        return { status: 'SUCCEEDED', path, history };
      case 'Fail':
        return { status: 'FAILED', path, history };
      case 'Wait':
        await surroundings.wait?.(Number(at(data, state.SecondsPath ?? '$')));
        break;
      case 'Pass':
        data = place(data, state.ResultPath, fill(state.Parameters ?? {}, data));
        break;
      case 'Task':
      case 'Map': {
        const step = await attempt(state, data, surroundings);
        history.push(structuredClone(step.output));
        data = step.output;
        name = step.next;
        continue;
      }
      default:
        throw new Error(`state ${name} is not understood`);
    }
    name = state.Next;
  }
  return { status: 'SUCCEEDED', path, history };
}

function holds(condition: Condition, data: Json): boolean {
  const { Variable, IsPresent, StringEquals, BooleanEquals, NumericGreaterThan, NumericLessThanPath } =
    condition;
  if (IsPresent !== undefined) return has(data, Variable) === IsPresent;
  const value = at(data, Variable);
  if (NumericLessThanPath !== undefined) return Number(value) < Number(at(data, NumericLessThanPath));
  if (NumericGreaterThan !== undefined) return Number(value) > NumericGreaterThan;
  return value === (StringEquals ?? BooleanEquals);
}

/** Does what a state is for, with its retries; an error that it catches leads on. */
async function attempt(
  state: State,
  data: Json,
  surroundings: Surroundings,
): Promise<{ output: Json; next: string | undefined }> {
  const left = new Map(state.Retry?.map((rule) => [rule, rule.MaxAttempts]));
  for (;;) {
    try {
      const raw =
        state.Type === 'Map' ? await map(state, data, surroundings) : await task(state, data, surroundings);
      const selected = state.ResultSelector === undefined ? raw : fill(state.ResultSelector, raw as Json);
      return { output: place(data, state.ResultPath, selected), next: state.Next };
    } catch (error) {
      const { name: code, message } = error as Error;
      const rule = state.Retry?.find(({ ErrorEquals }) => matches(ErrorEquals, code));
      const attempts = rule === undefined ? 0 : (left.get(rule) ?? 0);
      if (rule !== undefined && attempts > 0) {
        left.set(rule, attempts - 1);
        continue;
      }
      const caught = state.Catch?.find(({ ErrorEquals }) => matches(ErrorEquals, code));
      if (caught === undefined) {
        throw error;
      }
      const failure = { Error: code, Cause: JSON.stringify({ errorType: code, errorMessage: message }) };
      return { output: place(data, caught.ResultPath, failure), next: caught.Next };
    }
  }
}

const matches = (names: readonly string[], code: string): boolean =>
  names.some(
    (one) =>
      one === code || one === 'States.ALL' || (one === 'States.TaskFailed' && code !== 'States.Timeout'),
  );

async function task(state: State, data: Json, surroundings: Surroundings): Promise<unknown> {
  const parameters = state.Parameters === undefined ? undefined : (fill(state.Parameters, data) as Json);
  const service = state.Resource?.split(':states:::')[1];
  if (service === undefined) {
    return await surroundings.invoke(
      state.Resource?.split(':').at(-1) ?? '',
      structuredClone(parameters ?? data),
      false,
    );
  }
  if (service !== 'lambda:invoke') {
    if (surroundings.call === undefined) throw new Error(`nothing answers ${service}`);
    return await surroundings.call(service, parameters ?? {});
  }
  const event = parameters?.InvocationType === 'Event';
  const name = String(parameters?.FunctionName).split(':').at(-1) ?? '';
  const result = await surroundings.invoke(name, structuredClone(parameters?.Payload), event);
  return { ...(!event && { Payload: result }), StatusCode: event ? 202 : 200 };
}

/** Runs the items of a Map: those of a distributed one beside each other, in which one that fails fails alone. */
async function map(state: State, data: Json, surroundings: Surroundings): Promise<unknown> {
  const { ItemReader, ItemsPath = '$', ItemProcessor, MaxConcurrency = 0 } = state;
  if (ItemProcessor === undefined) throw new Error('a Map without an ItemProcessor');
  const run = (item: unknown) => runMachine(ItemProcessor, item as Json, surroundings);
  if (ItemReader !== undefined) {
    const items = (await surroundings.items?.(fill(ItemReader.Parameters, data) as Json)) ?? [];
    await Promise.allSettled(items.map(run));
    return [];
  }
  const items = at(data, ItemsPath) as readonly unknown[];
  if (MaxConcurrency !== 1) return await Promise.all(items.map(run));
  for (const item of items) await run(item);
  return [];
}

function fill(template: unknown, data: Json): unknown {
  if (typeof template !== 'object' || template === null) {
    return template;
  }
  return Object.fromEntries(
    Object.entries(template).map(([key, value]) =>
      key.endsWith('.$') ? [key.slice(0, -2), worked(String(value), data)] : [key, fill(value, data)],
    ),
  );
}

/** Works out a path, or an intrinsic function of paths and numbers. */
function worked(expression: string, data: Json): unknown {
  const [, name, list = ''] = /^States\.(\w+)\((.*)\)$/.exec(expression) ?? [];
  if (name === undefined) return at(data, expression);
  const [first, second] = list
    .split(', ')
    .map((text) => (text.startsWith('$') ? at(data, text) : Number(text)));
  switch (name) {
    case 'MathAdd':
      return Number(first) + Number(second);
    case 'ArrayGetItem':
      return (first as readonly unknown[])[Number(second)];
    case 'JsonToString':
      return JSON.stringify(first);
    case 'StringToJson':
      return JSON.parse(String(first));
    default:
      throw new Error(`${expression} is not understood`);
  }
}

function has(data: Json, path: string): boolean {
  try {
    at(data, path);
    return true;
  } catch {
    return false;
  }
}

function at(data: Json, path: string): unknown {
  const parts = path.split('.').slice(1);
  let value: unknown = data;
  for (const part of parts) {
    const object = value as Json | undefined;
    if (typeof object !== 'object' || object === null || !Object.hasOwn(object, part)) {
      throw Object.assign(new Error(`the state has no ${path}`), { name: 'States.Runtime' });
    }
    value = object[part];
  }
  return value;
}

function place(data: Json, path: string | null | undefined, result: unknown): Json {
  if (path === null) return data;
  return path === undefined ? (result as Json) : { ...data, [path.slice(2)]: result };
}
