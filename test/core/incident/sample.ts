import type { AuditEvent, AuditRecord } from '../../../core/audit/format.ts';
import { revocationToken } from '../../../core/deployed/revocation-token.ts';

/** Begin of every sample, in milliseconds since 1970. */
export const start = Date.parse('2026-03-01T12:00:00.000Z');
const iso = (ms: number): string => new Date(start + ms).toISOString();
export const arnOf = (name: string): string =>
  `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;
export const alice = 'arn:aws:sts::111122223333:assumed-role/responder/alice';

type Members = Readonly<Record<string, unknown>>;

/** An event as it is recorded, without the place in the log. */
export const told = (
  detailType: string,
  afterMs: number,
  data: Members,
  more: { readonly metadata?: Members; readonly source?: string } = {},
): AuditEvent => ({
  id: `bus ${detailType} ${afterMs} ${JSON.stringify(data)}`,
  source: more.source ?? 'rekey.revocation',
  detailType,
  time: iso(afterMs).replace(/\.\d+Z$/, 'Z'),
  account: '111122223333',
  region: 'eu-central-1',
  detail: {
    metadata: {
      id: `${detailType} ${JSON.stringify(data)}`,
      schemaVersion: 1,
      time: iso(afterMs),
      environment: 'prod',
      actor: 'lambda:rekey-prod-revocation',
      ...more.metadata,
    },
    data,
  },
});

export interface Told {
  readonly requestId: string;
  readonly secretName: string;
  readonly at?: number;
  readonly incident?: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly partOf?: string;
  readonly versions?: readonly string[];
  readonly reason?: string;
  readonly mode?: 'kill' | 'replace';
  readonly drill?: boolean;
}

const links = ({ requestId, correlationId, causationId }: Told): Members => ({
  correlationId: correlationId ?? requestId,
  causationId: causationId ?? requestId,
});
const subject = ({ requestId, secretName, partOf }: Told): Members => ({
  requestId,
  ...(partOf !== undefined && { partOf }),
  secretName,
  secretArn: arnOf(secretName),
});
const cutOff = [{ versionIds: ['v1'], identity: 'orders_app', loginsRefused: true, sessionsEnded: 2 }];

/** The request for a revocation, as a person sends it. */
export function requested(of: Told): AuditEvent {
  const { requestId, secretName, at = 0, incident, mode = 'kill', drill = false } = of;
  return told(
    'Secret Revocation Requested',
    at,
    {
      select: { secret: secretName },
      mode,
      reason: of.reason ?? 'found in a public repository',
      drill,
      ...(incident !== undefined && { incident }),
    },
    {
      source: 'rekey.cli',
      metadata: {
        id: requestId,
        actor: undefined,
        claimedActor: alice,
        correlationId: of.correlationId ?? requestId,
        ...(of.causationId !== undefined && { causationId: of.causationId }),
      },
    },
  );
}

/** The events of a revocation behind its request, up to the end. */
export function begun(of: Told): readonly AuditEvent[] {
  const { at = 0, incident, mode = 'kill', versions = ['v1'], drill = false } = of;
  const version = {
    versionId: revocationToken(of.requestId.toWellFormed(), arnOf(of.secretName).toWellFormed()),
  };
  const rotation = {
    secretName: of.secretName,
    secretArn: arnOf(of.secretName),
    secretType: 'postgresql',
    strategy: 'single-user',
    ...version,
  };
  const byRotation = { source: 'rekey.rotation', metadata: { correlationId: version.versionId } };
  return [
    told(
      'Secret Revocation Started',
      at + 400,
      {
        ...subject(of),
        mode,
        versions,
        reason: of.reason ?? 'found in a public repository',
        drill,
        requestedAt: iso(at),
        ...(incident !== undefined && { incident }),
      },
      { metadata: links(of) },
    ),
    told(
      'Credential Contained',
      at + 1_500,
      { ...subject(of), containments: cutOff },
      { metadata: links(of) },
    ),
    told('Secret Rotation Started', at + 2_000, rotation, byRotation),
    told('Secret Rotation Succeeded', at + 3_200, { ...rotation, durationMs: 1_200 }, byRotation),
  ];
}

/** The end of a revocation. */
export function ended(of: Told, outcome: 'Succeeded' | 'Unproven' | 'Failed'): AuditEvent {
  const { at = 0 } = of;
  const replaced = {
    newVersionId: revocationToken(of.requestId.toWellFormed(), arnOf(of.secretName).toWellFormed()),
    containments: cutOff,
    verifications: [{ versionId: 'v1', identity: 'orders_app', outcome: 'rejected' }],
    requestedAt: iso(at),
    completedAt: iso(at + 5_000),
  };
  const data = {
    Succeeded: { ...replaced, refusedAt: iso(at + 1_400) },
    Unproven: {
      ...replaced,
      current: 'accepted',
      note: 'the partner decides; owner: team-orders',
      consumers: ['orders-api'],
      owner: 'team-orders',
    },
    Failed: {
      stage: 'verify',
      error: { code: 'RevocationUnproven', message: 'the credential is still accepted', retryable: true },
    },
  }[outcome];
  return told(
    `Secret Revocation ${outcome}`,
    at + 5_100,
    { ...subject(of), ...data },
    { metadata: links(of) },
  );
}

/** One whole revocation. */
export const revocation = (of: Told, outcome: 'Succeeded' | 'Unproven' | 'Failed' = 'Succeeded') => [
  requested(of),
  ...begun(of),
  ended(of, outcome),
];

/** Records of events in this order, each recorded a little later than it happened. */
export const recordsOf = (events: readonly AuditEvent[]): readonly AuditRecord[] =>
  events.map((event, index) => ({
    sequence: index + 1,
    previous: '0'.repeat(64),
    recordedAt: new Date(start + 60_000_000 + index).toISOString(),
    event,
  }));

/** A revocation of three secrets by one plan, with one task, up to the conclusion. */
export function planned(outcomes: readonly ('Succeeded' | 'Unproven' | 'Failed')[]): readonly AuditEvent[] {
  const root = 'root-request';
  const metadata = { correlationId: root, causationId: root };
  const many = outcomes.map((outcome, index) => {
    const of = {
      requestId: `part-${index}`,
      secretName: `/prod/part-${index}`,
      at: 1_000 + index * 100,
      incident: 'INC-4711',
      correlationId: root,
      causationId: root,
      partOf: root,
    };
    return [...begun(of), ended(of, outcome)];
  });
  return [
    told(
      'Secret Revocation Requested',
      0,
      {
        select: { tag: { key: 'team', value: 'orders' } },
        mode: 'kill',
        reason: 'laptop lost',
        incident: 'INC-4711',
        drill: false,
      },
      {
        source: 'rekey.cli',
        metadata: { id: root, actor: undefined, claimedActor: alice, correlationId: root },
      },
    ),
    told(
      'Revocation Planned',
      300,
      {
        requestId: root,
        selection: 'the secrets tagged team=orders',
        mode: 'kill',
        secrets: outcomes.length,
        tasks: 1,
        planDigest: 'ab12',
        reason: 'laptop lost',
        incident: 'INC-4711',
        drill: false,
        requestedAt: iso(0),
      },
      { metadata },
    ),
    told(
      'Revocation Task Opened',
      310,
      { requestId: root, taskId: 't1', task: 'Ask the partner to refuse the old key', via: '/prod/partner' },
      { metadata },
    ),
    ...many.flat(),
    told(
      'Revocation Concluded',
      9_000,
      {
        requestId: root,
        outcome: 'open',
        succeeded: outcomes.filter((one) => one === 'Succeeded').length,
        unproven: outcomes.filter((one) => one === 'Unproven').length,
        failed: outcomes.filter((one) => one === 'Failed').length,
        openTasks: 1,
        requestedAt: iso(0),
        completedAt: iso(8_900),
      },
      { metadata },
    ),
  ];
}

export const taskDone = told(
  'Revocation Task Done',
  86_400,
  {
    requestId: 'root-request',
    taskId: 't1',
    via: '/prod/partner',
    note: 'they refuse it, seen in their portal',
    claimedActor: alice,
  },
  {
    source: 'rekey.cli',
    metadata: { actor: alice, correlationId: 'root-request', causationId: 'root-request' },
  },
);
