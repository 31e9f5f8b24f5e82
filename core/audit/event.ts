import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type DetailType, detailSchema, isDetailType } from '../events/catalogue.ts';
import type { AuditEvent } from './format.ts';

/**
 * An event as EventBridge delivers it to a target.
 * @see https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
 */
export const deliveredEventSchema = z.object({
  id: z.string().min(1),
  'detail-type': z.string().min(1),
  source: z.string().min(1),
  account: z.string(),
  time: z.string(),
  region: z.string(),
  detail: z.record(z.string(), z.unknown()),
  /**
   * The replay that brought the event again, where one did.
   * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
   */
  'replay-name': z.string().max(64).optional(),
});

/** The detail type under which an event is recorded that is not of the catalogue. */
export const unrecognised = 'Unrecognised Event';

/**
 * Turns a delivered event into what is recorded. An event of the catalogue is recorded with the fields that the catalogue knows
 * and no others. Anything else is recorded too, as {@link unrecognised}: with what it said it was and the places where it is
 * wrong. Its data is left out, since it may hold a secret. An event that a replay brought again is recorded that way, too, with
 * the replay's name: what it tells happened then, not now.
 *
 * @param body the queue message's body: JSON of one delivered event
 * @param message what stands in for the missing parts when the body is not even an event
 */
export function auditEvent(
  body: string,
  message: {
    readonly id: string;
    readonly region: string;
    readonly receivedAt: Date;
    /** Sender of the message; see {@link AuditEvent.sender}. */
    readonly sender?: string | undefined;
  },
): AuditEvent {
  const sender = message.sender === undefined ? {} : { sender: message.sender.slice(0, longestSender) };
  const delivered = deliveredEventSchema.safeParse(parseJson(body));
  if (!delivered.success) {
    return {
      id: message.id,
      source: 'unknown',
      detailType: unrecognised,
      time: message.receivedAt.toISOString(),
      account: 'unknown',
      region: message.region,
      ...sender,
      detail: { problems: problemsOf(delivered.error) },
    };
  }
  const { id, source, time, account, region, 'detail-type': detailType, detail } = delivered.data;
  const common = { id, source, time, account, region, ...sender };
  const replayName = delivered.data['replay-name'];
  if (replayName !== undefined) {
    const problems = [{ path: 'replay-name', code: 'replayed' }];
    return { ...common, detailType: unrecognised, detail: { detailType, replayName, problems } };
  }
  if (!isDetailType(detailType)) {
    const problems = [{ path: 'detail-type', code: 'unknown_value' }];
    return { ...common, detailType: unrecognised, detail: { detailType, problems } };
  }
  const parsed = detailSchema(detailType).safeParse(detail);
  return parsed.success
    ? { ...common, detailType, detail: asRecorded(detailType, parsed.data) }
    : {
        ...common,
        detailType: unrecognised,
        detail: { detailType, problems: problemsOf(parsed.error, ['detail']) },
      };
}

/** Longest text that stands for a sender. It holds the id of a role, a colon, and a session's name of at most 64 characters. */
const longestSender = 128;

/** Requests, which come from outside. */
const requests: readonly string[] = [
  'Secret Revocation Requested',
  'Principal Quarantine Requested',
  'Principal Quarantine Lift Requested',
];

/**
 * Turns the actor of a request into `claimedActor`. A request comes from outside, and what it says of who asks is a claim:
 * EventBridge attests the account alone.
 */
function asRecorded(detailType: DetailType, detail: AuditEvent['detail']): AuditEvent['detail'] {
  if (!requests.includes(detailType)) return detail;
  const { actor, ...metadata } = detail.metadata as Readonly<Record<string, unknown>>;
  return { ...detail, metadata: { ...metadata, claimedActor: actor } };
}

/**
 * Finds what is wrong with a record whose hash is right. Such a record lacks what tells one fact, one rotation or one
 * revocation from another. More is not asked, since records of older and newer forms stand in one log.
 * @returns the first place that is wrong; undefined when nothing is
 */
export function formFault(event: AuditEvent): string | undefined {
  const { detailType } = event;
  if (detailType === unrecognised) return undefined;
  if (!isDetailType(detailType)) return `its type ${JSON.stringify(detailType.slice(0, 64))} is not known`;
  try {
    const parsed = formOf(detailType).safeParse(event.detail);
    if (!parsed.success) return `${problemsOf(parsed.error, ['detail'])[0]?.path} is missing or wrong`;
    factOf(event);
    return undefined;
  } catch (error) {
    return `it cannot be looked at (${error instanceof Error ? error.name : 'no error'})`;
  }
}

const word = z.string().min(1).max(4096);
const withData = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.looseObject({ metadata: z.looseObject({ id: word }), data: z.looseObject(shape) });
const forms = {
  any: withData({}),
  rotation: withData({ secretArn: word, versionId: word }),
  revocation: withData({ requestId: word }),
};

function formOf(detailType: DetailType) {
  if (detailType === 'Secret Rotation Paused' || detailType === 'Secret Rotation Resumed') return forms.any;
  if (detailType.startsWith('Secret Rotation ')) return forms.rotation;
  const isRequest = detailType === 'Secret Revocation Requested';
  const ofRevocation = /^(?:Secret )?Revocation /.test(detailType) && !isRequest;
  return ofRevocation ? forms.revocation : forms.any;
}

/**
 * Gives a text that is equal for two recorded events of the same fact. A fact that is announced twice carries the same
 * `metadata.id` both times. The source and the account belong to the key, so that nobody can keep another's fact out of the log
 * by announcing its id first. A request with the same id and other content is another fact, and so is each replay.
 */
export function factOf(event: AuditEvent): string {
  const given: unknown = Object(event.detail.metadata).id;
  const id = typeof given === 'string' ? given : event.id;
  const content = requests.includes(event.detailType)
    ? createHash('sha256')
        .update(JSON.stringify(event.detail.data) ?? '')
        .digest('hex')
    : typeof event.detail.replayName === 'string'
      ? event.detail.replayName
      : '';
  return JSON.stringify([event.source, event.account, event.detailType, id, content]);
}

/** A memory of the last facts, so that one is recorded once; the oldest are forgotten beyond `limit`. */
export class RecentFacts {
  readonly #facts = new Set<string>();
  readonly #limit: number;

  constructor(limit = 20_000) {
    this.#limit = limit;
  }

  /** Takes note of a fact; false when it was noted before. */
  add(fact: string): boolean {
    if (this.#facts.has(fact)) {
      return false;
    }
    this.#facts.add(fact);
    for (const oldest of this.#facts) {
      if (this.#facts.size <= this.#limit) {
        break;
      }
      this.#facts.delete(oldest);
    }
    return true;
  }

  has(fact: string): boolean {
    return this.#facts.has(fact);
  }
}

/** Lists paths and zod's codes only: messages and unknown keys may quote what the sender wrote. */
function problemsOf(error: z.ZodError, prefix: readonly string[] = []): { path: string; code: string }[] {
  return error.issues
    .slice(0, 20)
    .map((issue) => ({ path: [...prefix, ...issue.path].join('.') || 'event', code: issue.code }));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
