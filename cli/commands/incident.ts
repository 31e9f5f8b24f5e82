import { findIncident, type IncidentCourse, incidentsOf } from '../../core/incident/incident-course.ts';
import { isOpen, type SecretCourse } from '../../core/incident/secret-course.ts';
import type { Entry } from '../../core/incident/timeline.ts';
import type { Invocation } from '../context.ts';
import { rowsElsewhere } from '../elsewhere-words.ts';
import { type ExitCode, usageError } from '../errors.ts';
import { incidentDocument, summaryDocument, timelineDocument } from '../incident-documents.ts';
import { type IncidentRecords, openRecords } from '../incident-records.ts';
import { afterRequest, clockTime, toneOfState, vouchedBy, wordOfState } from '../incident-words.ts';
import type { Cell, Tone } from '../output.ts';
import { formatDuration, formatRelative, parseSince } from '../time.ts';

/** Options that say which records are read. */
export interface IncidentSource {
  /** A duration before now, or an ISO 8601 time. */
  readonly since: string;
  /** A directory with a copy of the log's bucket. */
  readonly from?: string;
}

const pollMs = 2_000;

/** Runs `rekey incident list`: the incidents since some time, newest first. */
export async function incidentList(
  invocation: Invocation,
  options: IncidentSource & { readonly open: boolean },
): Promise<ExitCode> {
  const { context, output } = invocation;
  const now = context.clock.now();
  const since = parseSince(options.since, now);
  const records = await openRecords(invocation, since, options.from);
  const incidents = incidentsOf(await records.next()).filter(
    ({ state }) => !options.open || state === 'open',
  );
  warnOfUnreadable(invocation, records);
  output.document({
    environment: records.environment,
    source: records.where,
    since: since.toISOString(),
    incidents: incidents.map(summaryDocument),
  });
  if (incidents.length === 0) {
    output.note(
      `No ${options.open ? 'open ' : ''}incident since ${since.toISOString()}; --since 90d looks back further.`,
    );
    return 0;
  }
  output.table(
    ['BEGAN', 'INCIDENT', 'STATE', 'SECRETS', 'PROVEN', 'CONTAINED IN', 'REASON'],
    incidents.map((incident) => [
      formatRelative(new Date(incident.requestedAt), now),
      incident.id,
      { text: stateWord(incident), tone: incident.state === 'open' ? 'warn' : 'good' },
      String(incident.secrets.length),
      String(incident.secrets.filter(({ state }) => state === 'revoked').length),
      incident.times.contain === undefined ? '-' : formatDuration(incident.times.contain),
      `${incident.drill ? 'rehearsal: ' : ''}${incident.reasons.join('; ')}`,
    ]),
  );
  return 0;
}

/** Runs `rekey incident show`: how an incident stands, and with `--follow` until nothing is under way. */
export async function incidentShow(
  invocation: Invocation,
  id: string,
  options: IncidentSource & { readonly follow: boolean },
): Promise<ExitCode> {
  const { context, output } = invocation;
  const { records, incident: found } = await readIncident(invocation, id, options);
  let incident = found;
  if (!options.follow) {
    output.document(incidentDocument(incident, records.environment));
    describe(invocation, incident, records.environment);
    return 0;
  }
  const view = new FollowedIncident(invocation, records.environment);
  view.show(incident);
  while (incident.underWay && !context.signal.aborted) {
    await context.sleep(pollMs);
    if (context.signal.aborted) break;
    incident = await find(records, id, options.since);
    view.show(incident);
  }
  output.line();
  describeEnd(invocation, incident);
  return incident.state === 'closed' ? 0 : 1;
}

/** Runs `rekey incident timeline`: what happened, a line each. */
export async function incidentTimeline(
  invocation: Invocation,
  id: string,
  options: IncidentSource,
): Promise<ExitCode> {
  const { output } = invocation;
  const { records, incident } = await readIncident(invocation, id, options);
  output.document(timelineDocument(incident, records.environment));
  output.table(
    ['WHEN', 'AFTER', 'WHAT', 'BY'],
    incident.timeline.map((entry) => timelineRow(entry, incident.requestedAt)),
  );
  return 0;
}

/** Reads one incident, by its name or one of its ids. @throws CliError `IncidentUnknown` */
export async function readIncident(
  invocation: Invocation,
  id: string,
  { since, from }: IncidentSource,
): Promise<{ readonly records: IncidentRecords; readonly incident: IncidentCourse }> {
  const records = await openRecords(invocation, sinceFor(invocation, id, since), from);
  const incident = await find(records, id, since);
  warnOfUnreadable(invocation, records);
  return { records, incident };
}

/**
 * Gives the time from which on an incident is looked for. The id of a request says when it was made, so older ones are found
 * without being told when.
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
 */
function sinceFor({ context }: Invocation, id: string, since: string): Date {
  const given = parseSince(since, context.clock.now());
  const [, high, low] = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-/i.exec(id) ?? [];
  if (high === undefined || low === undefined) return given;
  const made = Number.parseInt(high + low, 16) - 3_600_000;
  return new Date(Math.min(given.getTime(), Math.max(0, made)));
}

async function find(records: IncidentRecords, id: string, since: string): Promise<IncidentCourse> {
  const found = findIncident(incidentsOf(await records.next()), id);
  if (found !== undefined) return found;
  throw unknownIncident(id, `in the records of ${records.where} since ${since}; give an earlier --since`);
}

/** Makes the error of an id that no incident has. */
export const unknownIncident = (id: string, where: string) =>
  usageError(
    'IncidentUnknown',
    `no incident ${JSON.stringify(id.slice(0, 64))} ${where}, or take an id of rekey incident list: a name, the id of a request, or of the message that you were paged with`,
  );

function warnOfUnreadable({ output }: Invocation, records: IncidentRecords): void {
  const count = records.unreadable();
  if (count > 0) {
    output.note(
      `${count} lines of the log are not as they were written, and are left out; run rekey audit verify.`,
      'bad',
    );
  }
}

const stateWord = ({ state, underWay }: IncidentCourse): string =>
  state === 'open' && underWay ? 'open, under way' : state;

const toneOf = (tone: 'good' | 'warn' | 'bad' | 'plain'): Tone => (tone === 'plain' ? 'dim' : tone);

const secretHeadings = ['SECRET', 'STATE', 'CONTAINED', 'ROTATED', 'PROVEN', 'REQUEST'];

const secretRow = (secret: SecretCourse): Cell[] => [
  secret.secretName,
  { text: wordOfState(secret), tone: toneOf(toneOfState(secret)) },
  afterRequest(secret, secret.containedAt),
  afterRequest(secret, secret.rotatedAt),
  afterRequest(secret, secret.provenAt),
  secret.requestId,
];

/** Gives the headings of the table. Where other environments have a part, it says of each secret where it is. */
const headingsOf = ({ elsewhere }: IncidentCourse): string[] =>
  elsewhere.length === 0 ? secretHeadings : ['ENVIRONMENT', ...secretHeadings];

const secretRows = (incident: IncidentCourse, environment: string | null): Cell[][] =>
  incident.elsewhere.length === 0
    ? incident.secrets.map(secretRow)
    : [
        ...incident.secrets.map((secret) => [environment ?? '-', ...secretRow(secret)]),
        ...rowsElsewhere(incident).map(({ place, secret, state, tone, contained, request }) => [
          place,
          secret,
          { text: state, tone: toneOf(tone) },
          contained,
          '-',
          '-',
          request,
        ]),
      ];

const timelineRow = ({ at, what, who, attested, proven, tone }: Entry, requestedAt: number): Cell[] => [
  clockTime(at),
  `+${formatDuration(at - requestedAt)}`,
  { text: what, tone: toneOf(tone) },
  who === undefined ? '' : `${who}${attested === 'claimed' ? ` (${vouchedBy({ attested, proven })})` : ''}`,
];

function describe(invocation: Invocation, incident: IncidentCourse, environment: string | null): void {
  const { output } = invocation;
  const { id, names, requestedAt, closedAt, lastAt, times, reasons, drill } = incident;
  const word = (ms: number | undefined): string =>
    ms === undefined ? 'not yet for all' : formatDuration(ms);
  output.table(
    [],
    [
      [{ text: 'incident', tone: 'dim' }, [id, ...names.filter((name) => name !== id)].join(', ')],
      [
        { text: 'state', tone: 'dim' },
        { text: stateWord(incident), tone: incident.state === 'open' ? 'warn' : 'good' },
      ],
      ...(drill ? [[{ text: 'kind', tone: 'dim' as const }, 'a rehearsal']] : []),
      [{ text: 'reason', tone: 'dim' }, reasons.join('; ') || '-'],
      [{ text: 'began', tone: 'dim' }, clockTime(requestedAt)],
      closedAt === undefined
        ? [{ text: 'last record', tone: 'dim' }, clockTime(lastAt)]
        : [{ text: 'ended', tone: 'dim' }, clockTime(closedAt)],
      [{ text: 'contained in', tone: 'dim' }, word(times.contain)],
      [{ text: 'rotated in', tone: 'dim' }, word(times.rotate)],
      [{ text: 'proven in', tone: 'dim' }, word(times.prove)],
    ],
  );
  output.line();
  output.table(headingsOf(incident), secretRows(incident, environment));
  if (incident.tasks.length > 0) {
    output.line();
    output.table(
      ['TASK', 'STATE', 'LEADS TO IT', 'WHAT WAS DONE'],
      incident.tasks.map(({ task, doneAt, via, note }) => [
        task,
        doneAt === undefined ? { text: 'open', tone: 'warn' } : { text: 'done', tone: 'good' },
        via ?? '-',
        note ?? '',
      ]),
    );
  }
  if (incident.quarantines.length > 0) {
    output.line();
    output.table(
      ['PRINCIPAL', 'QUARANTINE', 'DENIES', 'REQUEST'],
      incident.quarantines.map(({ principal, state, scope, requestId }) => [
        principal,
        { text: state, tone: state === 'stands' || state === 'refused' ? 'warn' : 'dim' },
        scope ?? '-',
        requestId,
      ]),
    );
  }
  if (incident.people.length > 0) {
    output.line();
    output.table(
      ['WHO', 'VOUCHED FOR BY', 'DID'],
      incident.people.map((deed) => [
        deed.who,
        deed.proven?.agrees === false ? { text: vouchedBy(deed), tone: 'bad' } : vouchedBy(deed),
        deed.what,
      ]),
    );
  }
  output.line();
  describeEnd(invocation, incident);
}

function describeEnd(
  { output }: Invocation,
  { open, state, closedAt, requestedAt, quarantines }: IncidentCourse,
): void {
  for (const { principal, requestId } of quarantines.filter((one) => one.state === 'stands')) {
    output.note(
      `${principal} is quarantined until somebody lifts it: rekey quarantine lift ${principal} --request ${requestId} --reason "…"`,
      'warn',
    );
  }
  if (state === 'closed') {
    output.line(
      `Closed ${formatDuration((closedAt ?? requestedAt) - requestedAt)} after the first request; nothing is open.`,
      'good',
    );
    return;
  }
  output.line('Open:', 'warn');
  for (const sentence of open) output.line(`  ${sentence}`, 'warn');
}

/** The view of an incident that goes on. It redraws a table, or in a pipe writes a line for each change. */
class FollowedIncident {
  readonly #invocation: Invocation;
  readonly #environment: string | null;
  readonly #seen = new Set<number>();

  constructor(invocation: Invocation, environment: string | null) {
    this.#invocation = invocation;
    this.#environment = environment;
  }

  show(incident: IncidentCourse): void {
    const { output, context } = this.#invocation;
    const fresh = incident.timeline.filter(({ sequence }) => !this.#seen.has(sequence));
    for (const { sequence } of fresh) this.#seen.add(sequence);
    if (output.json) {
      if (fresh.length > 0) output.documentLine(incidentDocument(incident, this.#environment));
    } else if (output.live) {
      const elapsed =
        (incident.underWay ? context.clock.now().getTime() : incident.lastAt) - incident.requestedAt;
      const done = incident.secrets.filter((secret) => !isOpen(secret)).length;
      const title = `${incident.id}  ${stateWord(incident)}  ${done} of ${incident.secrets.length} done  ${formatDuration(elapsed)}`;
      const secrets = [...incident.secrets].sort((a, b) => Number(isOpen(b)) - Number(isOpen(a)));
      output.redraw(title, headingsOf(incident), secretRows({ ...incident, secrets }, this.#environment));
    } else {
      output.table(
        [],
        fresh.map((entry) => timelineRow(entry, incident.requestedAt)),
      );
    }
  }
}
