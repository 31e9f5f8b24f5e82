import { CloudWatchLogsClient, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts';
import * as z from 'zod';
import { type Coordination, coordinationSchema } from '../core/deployed/coordination.ts';
import { rejectionIn } from '../core/deployed/intake-log.ts';
import type { Member } from '../core/deployed/members.ts';
import { deploymentParameters, deploymentPath } from '../core/deployed/names.ts';
import { type PlanPreview, type PreviewRequest, planPreviewSchema } from '../core/deployed/plan-preview.ts';
import { isErrorCode } from '../core/errors/codes.ts';
import { RekeyError } from '../core/errors/rekey-error.ts';
import type { RekeyEvent } from '../core/events/catalogue.ts';
import type { MemberEnvironments, MemberProgress } from '../core/revocation/ports.ts';
import { called } from './aws-error.ts';
import { EventBridgeBus } from './event-bus.ts';
import { executionArn } from './execution-arn.ts';
import { askFunction } from './function-call.ts';
import { DynamoOutcomeStore } from './outcome-store.ts';

/** Time that is left to a session of a role when it is no longer begun anything with. */
const sparedMs = 5 * 60_000;

/** Difference that is allowed between the clocks of regions. */
const clockSkewMs = 15 * 60_000;

const conclusionSchema = z.object({
  outcome: z.enum(['proven', 'open']),
  openTasks: z.number().optional(),
});

/** A member that was opened: its session, and the places that it named. */
interface Opened {
  readonly place: Coordination;
  readonly client: <C>(Client: new (options: ClientOptions) => C) => C;
  readonly endsAt: number;
}

interface ClientOptions {
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
  };
  readonly maxAttempts: number;
  readonly requestHandler: { readonly connectionTimeout: number; readonly requestTimeout: number };
}

/**
 * The members of a coordinator, each reached in its region by the role that it has there for its coordinator. Every call has a time
 * limit, so that a region that is away holds up none of the others.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export class RoleMemberEnvironments implements MemberEnvironments {
  readonly #sts: STSClient;
  readonly #session: string;
  readonly #timeoutMs: number;
  readonly #opened = new Map<string, Opened>();

  /**
   * Takes what the members are reached with.
   * @param session - name of the sessions, by which the members' trails tell who came
   * @param timeoutMs - longest time of one call
   */
  constructor(sts: STSClient, session: string, timeoutMs: number) {
    this.#sts = sts;
    this.#session = session;
    this.#timeoutMs = timeoutMs;
  }

  async preview(member: Member, request: PreviewRequest): Promise<PlanPreview> {
    return await this.#within(member, async ({ place, client }) =>
      askFunction(client(LambdaClient), place.previewFunction, { input: request, schema: planPreviewSchema }),
    );
  }

  async send(member: Member, event: RekeyEvent<'Secret Revocation Requested'>): Promise<void> {
    await this.#within(member, async ({ place, client }) =>
      new EventBridgeBus(client(EventBridgeClient), place.bus).publish([event]),
    );
  }

  async progress(member: Member, requestId: string, since: Date): Promise<MemberProgress> {
    return await this.#within(member, async (opened) => {
      const { place, client } = opened;
      const execution = await executionOf(client(SFNClient), place.planWorkflow, requestId);
      if (execution === undefined) {
        const error = rejectionIn(await this.#lines(opened, requestId, since), requestId);
        return error === undefined ? { state: 'unknown' } : { state: 'rejected', error };
      }
      if (execution.status === 'RUNNING' || execution.status === 'PENDING_REDRIVE')
        return { state: 'under way' };
      const { error, cause = 'no cause given' } = execution;
      if (error !== undefined && error !== 'RevocationUnproven' && isErrorCode(error)) {
        return { state: 'rejected', error: { code: error, message: cause, retryable: false } };
      }
      const { data } = conclusionSchema.safeParse(json(execution.output));
      const outcomes = await new DynamoOutcomeStore(client(DynamoDBClient), place.table).list(requestId);
      return {
        state: 'ended',
        proven: data?.outcome === 'proven',
        outcomes,
        ...(data?.openTasks !== undefined && { openTasks: data.openTasks }),
      };
    });
  }

  async #lines({ place, client }: Opened, text: string, since: Date): Promise<readonly string[]> {
    const messages: string[] = [];
    const pages = paginateFilterLogEvents(
      { client: client(CloudWatchLogsClient) },
      {
        logGroupName: place.intakeLogGroup,
        startTime: since.getTime() - clockSkewMs,
        filterPattern: `"${text}"`,
      },
    );
    const call = { service: 'CloudWatch Logs', action: 'logs:FilterLogEvents', on: place.intakeLogGroup };
    await called(
      call,
      (async () => {
        for await (const { events = [] } of pages)
          messages.push(...events.flatMap(({ message }) => message ?? []));
      })(),
    );
    return messages;
  }

  /** Works with a member for a limited time; a session that has ended, or is about to, is begun anew. */
  async #within<T>(member: Member, work: (opened: Opened) => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        this.#opened.delete(member.name);
        reject(
          new RekeyError(
            'Unreachable',
            `${member.name} did not answer within ${this.#timeoutMs / 1000} s (${member.environment} in ${member.account}, ${member.region})`,
          ),
        );
      }, this.#timeoutMs);
    });
    try {
      return await Promise.race([this.#open(member).then(work), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #open(member: Member): Promise<Opened> {
    const known = this.#opened.get(member.name);
    if (known !== undefined && known.endsAt - Date.now() > sparedMs) return known;
    const assume = new AssumeRoleCommand({ RoleArn: member.role, RoleSessionName: this.#session });
    const call = { service: 'STS', action: 'sts:AssumeRole', on: member.role };
    const { Credentials: given } = await called(call, this.#sts.send(assume));
    const options: ClientOptions = {
      region: member.region,
      credentials: {
        accessKeyId: given?.AccessKeyId ?? '',
        secretAccessKey: given?.SecretAccessKey ?? '',
        sessionToken: given?.SessionToken ?? '',
      },
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 2_000, requestTimeout: this.#timeoutMs },
    };
    const clients = new Map<unknown, unknown>();
    const client = <C>(Client: new (settings: ClientOptions) => C): C => {
      const made = (clients.get(Client) ?? new Client(options)) as C;
      clients.set(Client, made);
      return made;
    };
    const opened = {
      client,
      place: await placeOf(client(SSMClient), member),
      endsAt: given?.Expiration?.getTime() ?? 0,
    };
    this.#opened.set(member.name, opened);
    return opened;
  }
}

async function placeOf(client: SSMClient, { environment }: Member): Promise<Coordination> {
  const Name = `${deploymentPath(environment)}/${deploymentParameters.coordination}`;
  const call = { service: 'Systems Manager', action: 'ssm:GetParameter', on: Name };
  const { Parameter } = await called(call, client.send(new GetParameterCommand({ Name })));
  const { data } = coordinationSchema.safeParse(json(Parameter?.Value));
  if (data !== undefined) return data;
  throw new RekeyError(
    'FunctionFailed',
    `${Name} is of another form than this version of Rekey knows; deploy the member and its coordinator in one version`,
  );
}

async function executionOf(
  client: SFNClient,
  workflow: string,
  name: string,
): Promise<DescribeExecutionCommandOutput | undefined> {
  const call = { service: 'Step Functions', action: 'states:DescribeExecution', on: workflow };
  const describe = new DescribeExecutionCommand({ executionArn: executionArn(workflow, name) });
  return await called(
    call,
    client.send(describe).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'ExecutionDoesNotExist') return undefined;
      throw error;
    }),
  );
}

function json(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}
