import { createHash } from 'node:crypto';
import * as z from 'zod';
import { detailSchema, isDetailType } from '../events/catalogue.ts';
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
 * Turns a delivered event into what is recorded. An event of the catalogue is recorded with the fields that the
 * catalogue knows and no others. Anything else is recorded too, as {@link unrecognised}: with what it said it was and
 * the places where it is wrong, but without its data, which may hold a secret. An event that a replay brought again is
 * recorded that way, too, with the replay's name: what it tells happened then, not now.
 *
 * @param body the queue message's body: JSON of one delivered event
 * @param message what stands in for the missing parts when the body is not even an event
 */
export function auditEvent(
  body: string,
  message: { readonly id: string; readonly region: string; readonly receivedAt: Date },
): AuditEvent {
  const delivered = deliveredEventSchema.safeParse(parseJson(body));
  if (!delivered.success) {
    return {
      id: message.id,
      source: 'unknown',
      detailType: unrecognised,
      time: message.receivedAt.toISOString(),
      account: 'unknown',
      region: message.region,
      detail: { problems: problemsOf(delivered.error) },
    };
  }
  const { id, source, time, account, region, 'detail-type': detailType, detail } = delivered.data;
  const common = { id, source, time, account, region };
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
    ? { ...common, detailType, detail: parsed.data }
    : {
        ...common,
        detailType: unrecognised,
        detail: { detailType, problems: problemsOf(parsed.error, ['detail']) },
      };
}

/**
 * What makes two recorded events the same fact. A fact that is announced twice carries the same `metadata.id` both
 * times; the source and the account belong to the key so that nobody can keep another's fact out of the log by
 * announcing its id first. A request with the same id and other content is another fact, and so is each replay.
 */
export function factOf(event: AuditEvent): string {
  const metadata = event.detail.metadata;
  const id =
    typeof metadata === 'object' && metadata !== null && 'id' in metadata ? String(metadata.id) : event.id;
  const content =
    event.detailType === 'Secret Revocation Requested'
      ? createHash('sha256').update(JSON.stringify(event.detail.data)).digest('hex')
      : String(event.detail.replayName ?? '');
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

/** Paths and zod's codes only: messages and unknown keys may quote what the sender wrote. */
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
