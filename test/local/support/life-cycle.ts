import {
  CloudFormationClient,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  type StackEvent,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import type { LocalCloud } from '../../../local/emulator/cloud.ts';
import { eventually } from '../../../local/tour/eventually.ts';

/** What the tests write as a template: only sections that they need. */
export interface Template {
  readonly Resources: Readonly<Record<string, object>>;
  readonly Outputs?: Readonly<Record<string, object>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
}

/** How an operation on a stack ended. */
export interface Ending {
  readonly status: string;
  /** The reasons of the operation's events, oldest first. */
  readonly reasons: string;
  /** `<logical id> <status>` of the operation's events, oldest first. */
  readonly events: readonly string[];
  readonly outputs: Readonly<Record<string, string>>;
}

/** One stack whose operations may end well or badly; the test looks at the ending. */
export interface LifeCycle {
  create(template: Template): Promise<Ending>;
  update(template: Template): Promise<Ending>;
  remove(): Promise<Ending>;
  /** How the stack ends what another call starts. */
  after(start: () => Promise<unknown>): Promise<Ending>;
  /** The change set that AWS would show for an update, and how to execute it. */
  plan(template: Template): Promise<{ status: string; changed: string[]; execute(): Promise<Ending> }>;
}

/** The life cycle of the stack `name`, whose templates are written by hand. */
export function lifeCycle(cloud: LocalCloud, name: string): LifeCycle {
  const client = new CloudFormationClient(cloud.clientOptions());
  let id = name;
  const events = async (): Promise<StackEvent[]> => {
    const all: StackEvent[] = [];
    let NextToken: string | undefined;
    do {
      const page = await client.send(new DescribeStackEventsCommand({ StackName: id, NextToken }));
      all.push(...(page.StackEvents ?? []));
      NextToken = page.NextToken;
    } while (NextToken);
    return all.reverse();
  };
  const ended = async (start: () => Promise<unknown>): Promise<Ending> => {
    const seen = id === name ? 0 : (await events()).length;
    await start();
    const stack = await eventually(
      `stack ${name} to end its operation`,
      async () => {
        const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: id }));
        const status = Stacks?.[0]?.StackStatus ?? '';
        return /IN_PROGRESS$/.test(status) ? undefined : Stacks?.[0];
      },
      60_000,
    );
    const since = (await events()).slice(seen);
    return {
      status: stack.StackStatus ?? '',
      reasons: since.map((event) => event.ResourceStatusReason ?? '').join('\n'),
      events: since.map((event) => `${event.LogicalResourceId} ${event.ResourceStatus}`),
      outputs: Object.fromEntries(
        (stack.Outputs ?? []).map((output) => [output.OutputKey ?? '', output.OutputValue ?? '']),
      ),
    };
  };
  const request = (template: Template) => ({
    TemplateBody: JSON.stringify(template),
    Capabilities: ['CAPABILITY_NAMED_IAM' as const],
  });
  return {
    create: async (template) => {
      id = name;
      return await ended(async () => {
        const { StackId } = await client.send(
          new CreateStackCommand({ StackName: name, ...request(template) }),
        );
        id = StackId ?? name;
      });
    },
    update: async (template) =>
      await ended(async () => {
        await client.send(new UpdateStackCommand({ StackName: id, ...request(template) }));
      }),
    remove: async () =>
      await ended(async () => {
        await client.send(new DeleteStackCommand({ StackName: id }));
      }),
    after: ended,
    plan: async (template) => {
      const wanted = { StackName: id, ChangeSetName: `plan-${Date.now()}`, ...request(template) };
      const { Id: ChangeSetName } = await client.send(new CreateChangeSetCommand(wanted));
      const described = await client.send(new DescribeChangeSetCommand({ ChangeSetName }));
      return {
        status: described.Status ?? '',
        changed: (described.Changes ?? []).map((change) => change.ResourceChange?.LogicalResourceId ?? ''),
        execute: async () =>
          await ended(async () => {
            await client.send(new ExecuteChangeSetCommand({ ChangeSetName }));
          }),
      };
    },
  };
}

/** An SSM parameter that holds `value`: the cheapest resource that shows what a reference resolved to. */
export function parameter(Value: unknown, properties: object = {}): object {
  return { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value, ...properties } };
}

/** What is read from the output `OutputName` of another stack. */
export function stackOutput(StackName: string, OutputName: string, more: object = {}): object {
  return { 'Fn::GetStackOutput': { StackName, OutputName, ...more } };
}
