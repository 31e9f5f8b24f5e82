import { beforeEach, expect } from '@jest/globals';
import { systemRandom } from '../../../adapters/system.ts';
import { listMembers } from '../../../core/deployed/members.ts';
import type { MemberLoop, PlanInput } from '../../../core/deployed/revocation-state.ts';
import { RekeyError } from '../../../core/errors/rekey-error.ts';
import { detailSchema, type RekeyEvent } from '../../../core/events/catalogue.ts';
import type {
  MemberEnvironments,
  MemberProgress,
  PlanStore,
  SecretOutcome,
} from '../../../core/revocation/ports.ts';
import type { SecretDefinition } from '../../../core/secret/definition.ts';
import { conclude } from '../../../lambdas/revocation/conclude.ts';
import { askMembers, followMembers } from '../../../lambdas/revocation/members.ts';
import { previewPlan } from '../../../lambdas/revocation/plan.ts';
import { definition } from '../../core/revocation/definitions.ts';
import { MemoryBus } from '../rotation/engine.ts';

export const requestId = '0195a000-0000-7000-8000-000000000009';
export const requestedAt = '2026-03-01T12:00:00.000Z';
export const account = '222222222222';
export const members = listMembers({
  east: { environment: 'prod', account, region: 'us-east-1', role: `arn:aws:iam::${account}:role/r-east` },
  west: { environment: 'staging', account, region: 'eu-west-1', role: `arn:aws:iam::${account}:role/r-west` },
});
type Request = RekeyEvent<'Secret Revocation Requested'>;

export const inputFor = (change: Partial<PlanInput['request']> = {}): PlanInput => ({
  requestId,
  correlationId: 'INC-7',
  requestDigest: 'digest',
  requestedAt,
  takenAt: requestedAt,
  request: {
    select: { namePrefix: 'orders' },
    members: 'all',
    mode: 'kill',
    reason: 'leaked',
    incident: 'INC-7',
    drill: false,
    ...change,
  },
  subject: 'orders',
  mode: 'kill',
});

/** A member in memory, which plans by the real planner. */
class Place {
  readonly environment: string;
  away: string | undefined;
  definitions: SecretDefinition[];
  /** Paths of definitions that cannot be read. */
  invalid: string[] = [];
  progress: MemberProgress | RekeyError = { state: 'unknown' };
  readonly sent: Request[] = [];

  constructor(environment: string, ...names: string[]) {
    this.environment = environment;
    this.definitions = names.map((name) => definition(name));
  }

  get planning() {
    const { environment, definitions, invalid } = this;
    return {
      definitions: { listValid: async () => ({ definitions, invalid }) },
      sources: {
        environment,
        tagged: async () => [],
        readableBy: async () => definitions.map(({ arn }) => arn),
        readBy: async () => 'off' as const,
      },
    };
  }
}

export const clock = { time: new Date(0) };
export let own: Place;
export let east: Place;
export let west: Place;
let texts: Map<string, string>;
let noted: SecretOutcome[];
export let bus: MemoryBus;
export let failures: string[];

beforeEach(() => {
  own = new Place('security', 'orders');
  east = new Place('prod', 'orders', 'orders-reports', 'billing');
  west = new Place('staging', 'orders');
  clock.time = new Date('2026-03-01T12:00:05.000Z');
  [texts, noted, bus, failures] = [new Map(), [], new MemoryBus(), []];
});

export const plans: PlanStore = {
  keepFirst: async (key, text) => {
    const kept = texts.get(key) ?? text;
    texts.set(key, kept);
    return kept;
  },
  read: async (key) => texts.get(key),
};
const placeOf = ({ name }: { readonly name: string }): Place => {
  const place = name === 'east' ? east : west;
  if (place.away !== undefined) throw new RekeyError('Unreachable', `${name} did not answer`);
  return place;
};
const environments: MemberEnvironments = {
  preview: async (member, request) => await previewPlan(request, placeOf(member).planning),
  send: async (member, event) => void placeOf(member).sent.push(event),
  progress: async (member) => {
    const { progress } = placeOf(member);
    if (progress instanceof RekeyError) throw progress;
    return progress;
  },
};
export const planning = () => ({
  ...own.planning,
  plans,
  bucket: 'plans',
  members: {
    members,
    ask: async (question: Parameters<typeof askMembers>[0]) => askMembers(question, environments),
  },
});
export const origin = {
  source: 'rekey.revocation',
  environment: 'security',
  actor: 'lambda:coordinator',
  clock: { now: () => clock.time },
  random: systemRandom,
} as const;
export const follow = async (input: PlanInput, loop?: MemberLoop) =>
  await followMembers(
    { ...input, ...(loop !== undefined && { loop }) },
    {
      members,
      environments,
      plans,
      origin,
      failed: (member, { code }) => void failures.push(`${member} ${code}`),
    },
  );
export const finish = async (input: PlanInput) =>
  await conclude(input, { plans, outcomes: { list: async () => noted }, bus, origin });
export const of = (type: string) =>
  bus.events.filter(({ detailType }) => detailType === type).map(({ detail }) => detail.data);
export const proven = (...names: string[]): MemberProgress => ({
  state: 'ended',
  proven: true,
  openTasks: 0,
  outcomes: names.map((secretName) => ({
    secretName,
    outcome: 'succeeded',
    refusedAt: '2026-03-01T12:00:04.000Z',
  })),
});
export const ownProven = () =>
  noted.push({ secretName: 'orders', outcome: 'succeeded', refusedAt: '2026-03-01T12:00:03.000Z' });
export const published = () => {
  for (const { detailType, detail } of bus.events) {
    expect(detailSchema(detailType).safeParse(detail).error).toBeUndefined();
  }
};
export const codeOf = async (work: Promise<unknown>) =>
  await work.then(
    () => 'no error',
    (error: { code?: string }) => error.code,
  );
