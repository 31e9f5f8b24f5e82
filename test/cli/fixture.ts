import type { CliContext } from '../../cli/context.ts';
import { run } from '../../cli/run.ts';
import type { ApprovalSummary } from '../../core/approval/store.ts';
import { type AuditEvent, emptyHead, encodeObject, type Head } from '../../core/audit/format.ts';
import type { AuditLogSource } from '../../core/audit/verify.ts';
import type { BrakeState } from '../../core/brake.ts';
import { pauseTag } from '../../core/deployed/names.ts';
import type { PreviewRequest } from '../../core/deployed/plan-preview.ts';
import { RekeyError, SecretError } from '../../core/errors/rekey-error.ts';
import type { AnyEvent } from '../../core/events/catalogue.ts';
import type { LookupAnswer, LookupRequest } from '../../core/fingerprint/lookup.ts';
import type { ManualSecret } from '../../core/lifecycle/manual-secret.ts';
import type {
  AccessKeyOwner,
  Cloud,
  DeployedNetwork,
  DeploymentFacts,
  Execution,
  ExecutionStage,
} from '../../core/operator-ports.ts';
import type { PreflightCloud, Prober } from '../../core/preflight/ports.ts';
import type { MemberPlans } from '../../core/revocation/ports.ts';
import type { SecretDefinition } from '../../core/secret/definition.ts';
import type { SecretDescription } from '../../core/secret/secret.ts';
import type { ReadEvidence } from '../../core/trail/ports.ts';
import { previewPlan } from '../../lambdas/revocation/plan.ts';
import { allFacts, definition } from './deployed-facts.ts';

export const now = new Date('2026-03-10T12:00:00.000Z');
export const ago = (ms: number) => new Date(now.getTime() - ms);
export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

interface FakeSecret {
  definition: SecretDefinition;
  description?: Omit<SecretDescription, 'arn' | 'name' | 'tags'>;
  tags?: Record<string, string>;
  created?: Record<string, Date>;
}

export const healthy = {
  rotationEnabled: true,
  versions: { 'version-2': ['AWSCURRENT'], 'version-1': ['AWSPREVIOUS'] },
  lastRotated: ago(3 * day),
  nextRotation: new Date(now.getTime() + 27 * day),
};

/** A cloud in memory. Tests set what they need and read what commands did. */
export class FakeCloud {
  environments: Record<string, DeploymentFacts> = { dev: allFacts };
  listingDenied = false;
  secrets: FakeSecret[] = [];
  published: AnyEvent[] = [];
  rotationsAsked: string[] = [];
  rotationAnswer: 'started' | 'unfinished' = 'started';
  /** Called at each sleep, to let time do its work. */
  onSleep: (count: number) => void = () => {};
  executions = new Map<string, Execution>();
  stages: ExecutionStage[] = [];
  depths: Record<string, number> = {};
  rules: { name: string; enabled: boolean }[] | undefined = [{ name: 'to-audit', enabled: true }];
  functionState: { state: string; reason?: string; securityGroups?: string[] } | undefined = {
    state: 'Active',
  };
  networks: DeployedNetwork[] = [];
  /** Lines by log group: `/aws/lambda/<function>`, `intake`. */
  logs: Record<string, { at: Date; text: string }[]> = {};
  /** What reading a log ends with. */
  failLogs: Error | undefined;
  workflowActive = true;
  /** Errors that ports throw, by port. */
  failures: Partial<Record<keyof Cloud, unknown>> = {};
  publishDenied = false;
  /** Requests for approval that the desk shows; the id `any` is of each. */
  approvals: ApprovalSummary[] = [];
  /** Authors that were proven, and how many events were on the bus before. */
  asked: { requestId: string; digest: string; before: number }[] = [];
  answered: { requestId: string; outcome: string; reason?: string }[] = [];
  answerRefused: Error | undefined;
  /** Source that the caller may put events as. @default - any */
  publishesOnlyAs: string | undefined;
  /** Brakes of rotation functions, by name. */
  brakes: Record<string, { version: number; state: BrakeState }> = {};
  brakesDenied = false;
  brakeReads = 0;
  /** Called behind each look at a brake, to let a function write meanwhile. */
  onBrakeRead: (count: number) => void = () => {};
  /** Names of secrets that may not be paused. */
  pauseDenied: string[] = [];
  /** Requests to the lookup function, and its answers. */
  lookups: ({ name: string } & LookupRequest)[] = [];
  onLookup: (request: LookupRequest) => LookupAnswer | Promise<LookupAnswer> = () => ({
    outcome: 'answered',
    matches: [],
  });
  keyOwners: Record<string, AccessKeyOwner> = {};
  /** Objects of the log that a legal hold was placed on, and their versions. */
  held: [key: string, versionId: string | undefined][] = [];
  holdsDenied = false;
  /** Environments elsewhere that plans may be about. */
  members: MemberPlans | undefined;
  /** ARNs of the secrets that any principal may read. */
  readable: string[] = [];
  /** Reads that CloudTrail tells of. */
  reads: ReadEvidence | 'off' | 'unreadable' = 'off';
  auditWrites: { key: string; body: Uint8Array; written: Date }[] = [];
  manual: ManualSecret[] = [];
  /** Makes the account that a preflight asks. */
  preflight = (_prober?: Prober): PreflightCloud => Object.create(null);
  head: Head = emptyHead;
  listCalls = 0;
  clock = now.getTime();

  add(name: string, description: FakeSecret['description'] = healthy, more: Partial<SecretDefinition> = {}) {
    const secret: FakeSecret = { definition: definition(name, more), created: {} };
    if (description !== undefined) {
      secret.description = description;
    }
    this.secrets.push(secret);
    return secret;
  }

  record(at: Date, ...events: Pick<AuditEvent, 'detailType' | 'detail'>[]): void {
    const { key, body, head } = encodeObject(
      this.head,
      events.map((event, index) => ({
        id: `${this.head.sequence}-${index}`,
        source: 'rekey.rotation',
        time: at.toISOString(),
        account: '111122223333',
        region: 'eu-central-1',
        ...event,
      })),
      at,
    );
    this.head = head;
    this.auditWrites.push({ key, body, written: at });
  }

  /** A line of a function's log, as the functions write it. */
  log(group: string, at: Date, line: Record<string, unknown>): void {
    const text = JSON.stringify({ level: 'ERROR', timestamp: at.toISOString(), ...line });
    this.logs[group] = [...(this.logs[group] ?? []), { at, text }];
  }

  get ports(): Cloud {
    const find = (id: string) => {
      const found = this.secrets.find((one) => one.definition.arn === id || one.definition.name === id);
      if (found?.description === undefined) {
        throw new SecretError('SecretMissing', `secret ${id} does not exist in this account and region`);
      }
      return { ...found, description: found.description };
    };
    const source: AuditLogSource = {
      versions: async function* (this: FakeCloud) {
        for (const { key } of this.auditWrites) {
          yield { key, deleteMarker: false, latest: true };
        }
      }.bind(this),
      read: async ({ key }) => this.auditWrites.find((one) => one.key === key)?.body ?? new Uint8Array(),
    };
    const open =
      <T>(port: keyof Cloud, value: T) =>
      async (): Promise<T> => {
        if (this.failures[port] !== undefined) {
          throw this.failures[port];
        }
        return value;
      };
    return {
      identity: open('identity', {
        account: '111122223333',
        arn: 'arn:aws:sts::111122223333:assumed-role/responder/ada',
      }),
      deployments: open('deployments', {
        environments: async () => {
          if (this.listingDenied) throw accessDenied('ssm:DescribeParameters');
          return Object.keys(this.environments).sort();
        },
        facts: async (environment: string) => this.environments[environment] ?? {},
        networks: async () => this.networks,
      }),
      definitions: open('definitions', {
        find: async (secret: string) =>
          this.secrets.find((one) => one.definition.arn === secret || one.definition.name === secret)
            ?.definition,
        list: async () => this.secrets.map((one) => one.definition),
      }),
      secrets: open('secrets', {
        describe: async (id: string) => {
          const { definition: known, description } = find(id);
          const { tags = {} } = this.secrets.find((one) => one.definition === known) ?? {};
          return { arn: known.arn, name: known.name, tags, ...description };
        },
        listVersions: async (id: string) => {
          const { description, created = {} } = find(id);
          return Object.entries(description.versions).map(([versionId, stages]) => ({
            versionId,
            stages,
            created: created[versionId] ?? ago(3 * day),
          }));
        },
      }),
      secretValues: open('secretValues', {
        describe: async () => find('none') as never,
        read: async () => undefined,
      }),
      rotations: open('rotations', {
        rotate: async (_id: string, token: string) => {
          this.rotationsAsked.push(token);
          return this.rotationAnswer;
        },
        abandon: async (id: string, versionId: string) => {
          const { definition: known, description } = find(id);
          const labels = (description.versions[versionId] ?? []).filter((label) => label !== 'AWSPENDING');
          const versions = { ...description.versions, [versionId]: labels };
          Object.assign(this.secrets.find((one) => one.definition === known) ?? {}, {
            description: { ...description, versions },
          });
        },
        pause: async (id: string, until: Date | undefined) => {
          const { definition: known } = find(id);
          if (this.pauseDenied.includes(known.name)) throw accessDenied('secretsmanager:TagResource');
          const tags = until === undefined ? {} : { [pauseTag]: until.toISOString() };
          Object.assign(this.secrets.find((one) => one.definition === known) ?? {}, { tags });
        },
      }),
      brakes: open('brakes', {
        list: async () => {
          if (this.brakesDenied) throw accessDenied('ssm:GetParametersByPath');
          return Object.entries(this.brakes).map(([name, { state }]) => ({ name, state }));
        },
        open: (name: string) => ({
          read: async () => {
            const found = this.brakes[name] ?? { version: 0, state: undefined };
            this.brakeReads += 1;
            this.onBrakeRead(this.brakeReads);
            return found;
          },
          replace: async (version: number, state: BrakeState) => {
            if (this.brakes[name]?.version !== version) return false;
            this.brakes[name] = { version: version + 1, state };
            return true;
          },
        }),
      }),
      approvals: open('approvals', {
        ask: async (requestId: string, digest: string) => {
          this.asked.push({ requestId, digest, before: this.published.length });
          return { name: 'ada', arn: 'arn:aws:sts::111122223333:assumed-role/responder/ada' };
        },
        list: async () => this.approvals,
        show: async (requestId: string) => {
          const found = this.approvals.find(({ id }) => id === requestId || id === 'any');
          if (found === undefined) throw new RekeyError('ApprovalUnknown', `no request ${requestId}`);
          return found;
        },
        answer: async (requestId: string, outcome: 'granted' | 'refused', reason?: string) => {
          if (this.answerRefused !== undefined) throw this.answerRefused;
          const found = this.approvals.find(({ id }) => id === requestId);
          if (found === undefined) throw new RekeyError('ApprovalUnknown', `no request ${requestId}`);
          this.answered.push({ requestId, outcome, ...(reason !== undefined && { reason }) });
          return { ...found, state: outcome };
        },
      }),
      bus: open('bus', {
        publish: async (events: readonly AnyEvent[]) => {
          const [strange] = events.filter(({ source }) => source !== (this.publishesOnlyAs ?? source));
          if (strange !== undefined) throw accessDenied('events:PutEvents');
          this.published.push(...events);
        },
      }),
      rules: open('rules', {
        list: async () => this.rules,
        tryPublish: async () => {
          if (this.publishDenied) throw accessDenied('events:PutEvents');
        },
      }),
      queues: open('queues', {
        depth: async (url: string) => ({ visible: this.depths[url] ?? 0, inFlight: 0, delayed: 0 }),
      }),
      functions: open('functions', {
        inspect: async (name: string) =>
          this.functionState && {
            name,
            logGroup: `/aws/lambda/${name}`,
            securityGroups: [],
            ...this.functionState,
          },
      }),
      logs: open('logs', {
        find: async (group: string, text: string, since: Date) => {
          if (this.failLogs !== undefined) throw this.failLogs;
          return (this.logs[group] ?? [])
            .filter((line) => line.at >= since && line.text.includes(text))
            .map((line) => line.text);
        },
      }),
      workflows: open('workflows', {
        execution: async (_arn: string, name: string) =>
          this.executions.get(name) ?? this.executions.get('any'),
        stages: async () => this.stages,
        active: async () => this.workflowActive,
      }),
      plans: open('plans', {
        preview: async (_function: string, request: PreviewRequest) =>
          await previewPlan(request, {
            definitions: {
              listValid: async () => ({
                definitions: this.secrets.map((one) => one.definition),
                invalid: [],
              }),
            },
            sources: {
              environment: Object.keys(this.environments)[0] ?? '',
              tagged: async (key, value) =>
                this.secrets.filter((one) => one.tags?.[key] === value).map((one) => one.definition.arn),
              readableBy: async () => this.readable,
              readBy: async () => this.reads,
            },
            ...(this.members !== undefined && { members: this.members }),
          }),
      }),
      fingerprints: open('fingerprints', {
        lookUp: async (name: string, request: LookupRequest) => {
          this.lookups.push({ name, ...request });
          return await this.onLookup(request);
        },
      }),
      accessKeys: open('accessKeys', { owner: async (id: string) => this.keyOwners[id] }),
      auditObjects: open('auditObjects', {
        list: async (after: string, limit: number) => {
          this.listCalls += 1;
          return this.auditWrites.filter(({ key }) => key > after).slice(0, limit);
        },
        read: async (key: string) =>
          this.auditWrites.find((one) => one.key === key)?.body ?? new Uint8Array(),
      }),
      auditSource: open('auditSource', source),
      manualSecrets: open('manualSecrets', { list: async () => this.manual }),
      preflight: async (prober) => ({ cloud: this.preflight(prober), region: 'eu-central-1' }),
      legalHolds: open('legalHolds', {
        place: async (key: string, versionId?: string) => {
          if (this.holdsDenied) throw accessDenied('s3:PutObjectLegalHold');
          this.held.push([key, versionId]);
        },
      }),
    };
  }
}

export function accessDenied(action: string): Error {
  const error = new Error(`User: ada is not authorized to perform: ${action}`);
  error.name = 'AccessDeniedException';
  return error;
}

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the CLI on a cloud in memory. Time stands still but for sleeps. */
export async function rekey(
  cloud: FakeCloud,
  argv: readonly string[],
  options: {
    terminal?: boolean;
    answer?: string;
    variables?: Record<string, string>;
    copy?: AuditLogSource;
    abortAfter?: number;
    /** What standard input holds. */
    input?: string;
  } = {},
): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    terminal: options.terminal ?? false,
    write: (text: string) => {
      written[name] += text;
    },
  });
  const controller = new AbortController();
  let sleeps = 0;
  let random = 0;
  const { answer, copy } = options;
  const context: CliContext = {
    version: '1.2.3',
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    variables: options.variables ?? {},
    clock: { now: () => new Date(cloud.clock) },
    random: {
      bytes: (length) => {
        random += 1;
        return new Uint8Array(length).fill(random);
      },
      integer: () => 0,
    },
    signal: controller.signal,
    sleep: async (ms) => {
      sleeps += 1;
      cloud.clock += ms;
      if (sleeps > 5_000) throw new Error('slept without end');
      if (sleeps >= (options.abortAfter ?? Number.POSITIVE_INFINITY)) controller.abort();
      cloud.onSleep(sleeps);
    },
    readHidden: async (question) => {
      if (options.terminal === true) written.stderr += question;
      return options.input ?? '';
    },
    profiles: async () => [],
    processes: () => Promise.reject(new Error('no process in these tests')),
    connect: async () => cloud.ports,
    auditCopy: async () => copy ?? cloud.ports.auditSource('unused'),
    ...(answer !== undefined && { ask: async () => answer }),
  };
  const exitCode = await run(argv, context);
  return { exitCode, ...written };
}

export const errorOf = ({
  stdout,
}: Ran): { code: string; message: string; exitCode: number; action: string | null } =>
  JSON.parse(stdout).error;
