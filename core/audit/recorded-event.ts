import type { ReportedError } from '../errors/rekey-error.ts';
import type { AuditEvent } from './format.ts';

type Members = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null;

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/**
 * A recorded event, read whatever its form. A sound hash says who wrote a record last, and nothing of what stands in it.
 *
 * @example
 * new RecordedEvent(record.event).text('secretName'); // undefined where it is missing, or no text
 */
export class RecordedEvent {
  readonly detailType: string;
  /** The event's own data; empty where there is none. */
  readonly data: Members;
  /** The envelope; empty where there is none. */
  readonly metadata: Members;

  constructor({ detailType, detail }: AuditEvent) {
    const { data, metadata } = detail;
    this.detailType = detailType;
    this.data = isObject(data) ? data : {};
    this.metadata = isObject(metadata) ? metadata : {};
  }

  /** Reads a member of the data, where it is a text. */
  text(name: string): string | undefined {
    return text(this.data[name]);
  }

  /** Reads the error that the event tells of, as far as it has code and message. */
  get error(): ReportedError | undefined {
    const { error } = this.data;
    if (!isObject(error)) return undefined;
    const [code, message] = [text(error.code), text(error.message)];
    if (code === undefined || message === undefined) return undefined;
    return { code, message, retryable: error.retryable === true };
  }

  /** Lists the secrets that the event names, by name or ARN. */
  get secrets(): readonly string[] {
    const { secretName, secretArn, select } = this.data;
    const selected = isObject(select) ? select.secret : undefined;
    return [secretName, secretArn, selected].flatMap((one) => text(one) ?? []);
  }

  /** Says of each credential that the event tells of whether it was cut off. */
  get containments(): readonly string[] {
    const { containments } = this.data;
    if (!Array.isArray(containments)) return [];
    return containments.filter(isObject).map(({ identity, loginsRefused, sessionsEnded }) => {
      const who = text(identity) ?? 'somebody unnamed';
      const ended = typeof sessionsEnded === 'number' ? sessionsEnded : 'unknown';
      return `${who} ${loginsRefused === true ? 'locked out' : 'NOT locked out'}, ${ended} sessions ended`;
    });
  }
}
