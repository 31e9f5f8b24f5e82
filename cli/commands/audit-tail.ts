import type { AuditEvent } from '../../core/audit/format.ts';
import { entriesPrefix } from '../../core/audit/format.ts';
import { RecordedEvent } from '../../core/audit/recorded-event.ts';
import { detailTypes } from '../../core/events/catalogue.ts';
import { keyBefore, type ReadRecord, recordsAfter } from '../audit-tail-reader.ts';
import type { Invocation } from '../context.ts';
import { type Environment, fact, openEnvironment, unknownSecret } from '../environment.ts';
import type { ExitCode } from '../errors.ts';
import type { Cell, Tone } from '../output.ts';
import { parseSince } from '../time.ts';

export interface AuditTailOptions {
  readonly follow: boolean;
  /** A duration before now, or an ISO 8601 time. */
  readonly since: string;
  /** Name or ARN of a secret, whose records alone are shown. */
  readonly secret?: string;
}

const pollMs = 2_000;

/** Runs `rekey audit tail`: the records since some time, and with `--follow` those to come. */
export async function auditTail(invocation: Invocation, options: AuditTailOptions): Promise<ExitCode> {
  const { cloud, context, output } = invocation;
  const since = parseSince(options.since, context.clock.now());
  const environment = await openEnvironment(invocation);
  const objects = await cloud.auditObjects(fact(environment, 'auditBucket'));
  const matches =
    options.secret === undefined ? () => true : await secretFilter(invocation, environment, options.secret);
  const printer = new RecordPrinter(invocation);

  let after = await keyBefore(objects, since);
  let shown = 0;
  for (;;) {
    const batch: ReadRecord[] = [];
    const reading = recordsAfter(objects, after);
    let step = await reading.next();
    for (; !step.done; step = await reading.next()) {
      const { value } = step;
      if (
        value.kind === 'unreadable' ||
        (new Date(value.record.recordedAt) >= since && matches(value.record.event))
      ) {
        batch.push(value);
      }
      if (batch.length >= 200) {
        shown += printer.print(batch.splice(0));
      }
    }
    after = step.value;
    shown += printer.print(batch);
    if (!options.follow || context.signal.aborted) {
      break;
    }
    output.progress('waiting for records, Ctrl-C ends');
    await context.sleep(pollMs);
    if (context.signal.aborted) {
      break;
    }
  }
  output.clearProgress();
  if (shown === 0 && !options.follow) {
    const what = options.secret === undefined ? '' : ` of ${options.secret}`;
    const log =
      after === entriesPrefix ? 'the audit log is empty' : 'rekey audit tail --since 7d looks back further';
    output.note(`No records${what} since ${since.toISOString()}; ${log}.`);
  }
  return 0;
}

/** Selects the records of a secret, by name or ARN. Records name it by either; the log may know secrets that are gone. */
async function secretFilter(
  { cloud, output }: Invocation,
  { name }: Environment,
  secret: string,
): Promise<(event: AuditEvent) => boolean> {
  const definitions = await cloud.definitions(name);
  const definition = await definitions.find(secret);
  if (definition === undefined) {
    // The log is read in any case, also where another definition is not readable.
    await unknownSecret(definitions, secret, name).then(
      (text) => output.note(text, 'warn'),
      () => undefined,
    );
  }
  const names = new Set([secret, ...(definition === undefined ? [] : [definition.name, definition.arn])]);
  return (event) => new RecordedEvent(event).secrets.some((one) => names.has(one));
}

/** Prints records as a table whose columns keep their width from batch to batch. */
class RecordPrinter {
  readonly #invocation: Invocation;
  #headed = false;

  constructor(invocation: Invocation) {
    this.#invocation = invocation;
  }

  print(records: readonly ReadRecord[]): number {
    const { output } = this.#invocation;
    if (records.length === 0) {
      return 0;
    }
    for (const read of records) this.#document(read);
    output.table(
      this.#headed
        ? []
        : ['RECORDED', 'SEQ'.padStart(6), 'EVENT'.padEnd(eventWidth), 'SECRET'.padEnd(24), 'DETAIL'],
      records.map(rowOf),
    );
    this.#headed = true;
    return records.length;
  }

  #document(read: ReadRecord): void {
    const { output } = this.#invocation;
    const unreadable = (key: string, message: string) =>
      output.documentLine({ error: { code: 'RecordUnreadable', key, message } });
    if (read.kind === 'unreadable') {
      unreadable(read.key, read.reason);
      return;
    }
    try {
      output.documentLine({ ...read.record, hash: read.hash });
    } catch (error) {
      // JSON can be read at any depth, and written only as deep as the stack.
      if (!(error instanceof RangeError)) throw error;
      const { sequence } = read.record;
      unreadable(read.key, `record ${sequence} is nested too deeply to be written`);
    }
  }
}

const eventWidth = Math.max(...detailTypes.map(({ length }) => length));

function rowOf(read: ReadRecord): Cell[] {
  if (read.kind === 'unreadable') {
    return [{ text: `${read.key}: ${read.reason}; run rekey audit verify`, tone: 'bad' }];
  }
  const { sequence, recordedAt, event } = read.record;
  const recorded = new RecordedEvent(event);
  const secret = nameOf(recorded.secrets[0] ?? '-');
  return [
    recordedAt.replace(/\.\d+Z$/, 'Z'),
    String(sequence).padStart(6),
    { text: event.detailType.padEnd(eventWidth), tone: toneOf(event.detailType) },
    secret.padEnd(24),
    detailOf(recorded),
  ];
}

/** Reads the name in a secret's ARN, which ends with a hyphen and six characters of Secrets Manager's own. */
function nameOf(secret: string): string {
  const [, name] = secret.startsWith('arn:') ? secret.split(':secret:') : [];
  return name === undefined ? secret : name.replace(/-[A-Za-z0-9]{6}$/, '');
}

function toneOf(detailType: string): Tone {
  if (/ (Failed|Rejected)$/.test(detailType)) return 'bad';
  if (detailType.endsWith(' Unproven')) return 'warn';
  if (/ (Succeeded|Contained)$/.test(detailType)) return 'good';
  return /Revocation|Finding/.test(detailType) ? 'warn' : 'strong';
}

/** Lists the fields that tell most about each event, in the order in which they matter. */
function detailOf(recorded: RecordedEvent): string {
  const { data, metadata, error } = recorded;
  const named = (...names: readonly string[]) =>
    names.map((name) => {
      const value = recorded.text(name);
      return value === undefined ? undefined : `${name} ${value}`;
    });
  return [
    ...named('step', 'stage'),
    error && `${error.code}: ${error.message}`,
    ...named('mode', 'code', 'message', 'reason', 'note', 'incident'),
    data.drill === true ? 'drill' : undefined,
    ...recorded.containments,
    ...named('newVersionId', 'versionId'),
    typeof data.durationMs === 'number' ? `in ${Math.round(data.durationMs)} ms` : undefined,
    typeof metadata.actor === 'string' ? `by ${metadata.actor}` : undefined,
    typeof metadata.claimedActor === 'string' ? `says to be ${metadata.claimedActor}` : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(', ');
}
