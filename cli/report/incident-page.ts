import type { Deed, IncidentCourse, Task } from '../../core/incident/incident-course.ts';
import { isOpen, type SecretCourse } from '../../core/incident/secret-course.ts';
import type { Entry, EntryKind } from '../../core/incident/timeline.ts';
import { type Content, html } from '../../core/page/html.ts';
import { type Lane, lanes, type Mark, type Scale, type Shape } from '../../core/page/lanes.ts';
import { writePage } from '../../core/page/page.ts';
import {
  badge,
  callout,
  code,
  facts,
  figures,
  nameText,
  section,
  table,
  timeText,
} from '../../core/page/parts.ts';
import { rowsElsewhere } from '../elsewhere-words.ts';
import { afterRequest, toneOfState, vouchedBy, wordOfState } from '../incident-words.ts';
import { formatDuration } from '../time.ts';
import type { Evidence } from './evidence.ts';

/** Writes the page of an incident, for people who were not there. */
export function incidentPage(incident: IncidentCourse, environment: string, evidence: Evidence): string {
  const { id, state, drill, open } = incident;
  return writePage({
    title: id,
    kicker: `${drill ? 'Rehearsed incident' : 'Incident'} · ${environment}`,
    lead: leadOf(incident),
    content: [
      html`<p>${state === 'open' ? badge('warn', 'open') : badge('good', 'closed')}${drill && html` ${badge('plain', 'a rehearsal')}`}</p>`,
      headline(incident),
      open.length > 0
        ? callout(
            'warn',
            open.length === 1 ? 'One thing is open' : `${open.length} things are open`,
            open.map(nameText),
          )
        : callout('good', 'Nothing is open', []),
      section('How it went', strip(incident)),
      incident.secrets.length > 0 && section('Each secret', eachSecret(incident.secrets)),
      incident.elsewhere.length > 0 && section('Secrets of other environments', secretsElsewhere(incident)),
      incident.tasks.length > 0 && section('Tasks for people', tasksOf(incident.tasks)),
      section('Who did what', whoDidWhat(incident)),
      section('Timeline', timelineTable(incident.timeline)),
      section('What this page rests on', restsOn(incident, evidence)),
    ],
    footer: html`Made by rekey from the audit log on ${timeText(evidence.readAt.getTime())}. All times are in UTC.`,
  });
}

function leadOf({ requestedAt, reasons, secrets, state, closedAt, lastAt }: IncidentCourse): Content {
  const until =
    state === 'closed' && closedAt !== undefined
      ? html` It ended ${formatDuration(closedAt - requestedAt)} later.`
      : html` Last record: ${timeText(lastAt)}.`;
  const count = new Set(secrets.map(({ secretName }) => secretName)).size;
  return html`<p>Began ${timeText(requestedAt)}, with ${count === 1 ? 'one secret' : `${count} secrets`}.${until}</p>
${reasons.map((reason) => html`<p>Reason given: <q>${nameText(reason)}</q></p>`)}`;
}

function headline({ times, secrets, elsewhere }: IncidentCourse) {
  const word = (ms: number | undefined): string => (ms === undefined ? '—' : formatDuration(ms));
  const there = elsewhere.flatMap((part) => part.secrets);
  const proven =
    secrets.filter(({ state }) => state === 'revoked').length +
    there.filter(({ outcome }) => outcome === 'succeeded').length;
  return figures([
    {
      label: 'Time to contain',
      value: word(times.contain),
      note: 'until every target refused the leaked credentials',
    },
    { label: 'Time to rotate', value: word(times.rotate), note: 'until every new credential was current' },
    { label: 'Time to prove', value: word(times.prove), note: 'until each refusal was seen and recorded' },
    {
      label: 'Proven',
      value: `${proven} of ${secrets.length + there.length}`,
      note: 'revocations in this incident',
    },
  ]);
}

const kinds: Readonly<Record<EntryKind, { readonly name: string; readonly shape: Shape }>> = {
  request: { name: 'Requests', shape: 'triangle' },
  quarantine: { name: 'Quarantines', shape: 'square' },
  approval: { name: 'Approvals', shape: 'bar' },
  containment: { name: 'Cut off', shape: 'square' },
  rotation: { name: 'New credentials', shape: 'circle' },
  proof: { name: 'Proof', shape: 'diamond' },
  task: { name: 'Tasks', shape: 'bar' },
  people: { name: 'People', shape: 'triangle' },
};

const failed = ({ tone }: Entry): boolean => tone === 'bad';

/** Draws the whole incident: a lane for each kind of what happened, by the clock. */
function strip({ timeline, requestedAt, lastAt, secrets }: IncidentCourse) {
  const scale: Scale = { from: requestedAt, to: lastAt, label: (at) => clockOf(at, lastAt - requestedAt) };
  const rows = Object.entries(kinds).flatMap(([kind, { name, shape }]): readonly Lane[] => {
    const entries = timeline.filter((entry) => entry.kind === kind);
    if (entries.length === 0) return [];
    const marks = thinned(entries, lastAt - requestedAt).map(
      (entry): Mark => ({ at: entry.at, shape, title: entry.what, hollow: failed(entry) }),
    );
    return [{ name, words: `${name}: ${entries.length}, from ${clockOf(entries[0]?.at ?? 0, 0)} on`, marks }];
  });
  const exposed = secrets.flatMap(({ requestedAt: from, containedAt: to }) =>
    to === undefined ? [] : [{ from, to, kind: 'exposed' as const }],
  );
  return html`<div class="sheet">${lanes(
    exposed.length === 0
      ? rows
      : [
          {
            name: 'Leak still worked',
            words: `${exposed.length} stretches between a request and the refusal at the target`,
            spans: exposed.slice(0, 200),
            marks: [],
          },
          ...rows,
        ],
    scale,
    [
      { text: 'from the request until the target refused the credential', span: 'exposed' },
      { text: 'a hollow mark is a failure', shape: 'diamond', hollow: true },
    ],
  )}</div>`;
}

/** Leaves out marks that would lie on each other, and keeps each failure. */
function thinned(entries: readonly Entry[], length: number): readonly Entry[] {
  const seen = new Set<string>();
  return entries.filter((entry) => {
    const key = `${Math.round((entry.at / Math.max(1, length)) * 90)} ${failed(entry)}`;
    return !seen.has(key) && seen.add(key);
  });
}

const clockOf = (at: number, length: number): string => {
  const iso = new Date(at).toISOString();
  return length > 86_400_000 ? `${iso.slice(5, 10)} ${iso.slice(11, 16)}` : iso.slice(11, 19);
};

function eachSecret(secrets: readonly SecretCourse[]) {
  const longest = Math.max(
    ...secrets.map(
      (one) =>
        Math.max(one.containedAt ?? 0, one.rotatedAt ?? 0, one.endedAt ?? 0, one.requestedAt) -
        one.requestedAt,
    ),
  );
  const rows = secrets.map(laneOf);
  const drawn = lanes(rows, { from: 0, to: longest, label: (ms) => `+${formatDuration(ms)}` }, [
    { text: 'the leaked credential still worked', span: 'exposed' },
    { text: 'it was refused, and the rest went on', span: 'calm' },
    { text: 'refused at the target', shape: 'square' },
    { text: 'new credential current', shape: 'circle' },
    { text: 'proven', shape: 'diamond' },
    { text: 'ended without a proof', shape: 'diamond', hollow: true },
  ]);
  return html`<p class="quiet">Each lane begins with the request for its secret.</p>
<div class="sheet">${drawn}</div>
<div class="sheet spaced">${table(
    'Times are counted from the request for each secret.',
    [
      { heading: 'Secret' },
      { heading: 'State' },
      { heading: 'Mode' },
      { heading: 'Contained', number: true },
      { heading: 'Rotated', number: true },
      { heading: 'Proven', number: true },
      { heading: 'At the target' },
    ],
    secrets.map((secret) => [
      html`${nameText(secret.secretName)}<br><span class="quiet">${code(secret.requestId)}</span>`,
      badge(toneOfState(secret), wordOfState(secret)),
      secret.mode === undefined ? undefined : nameText(secret.mode),
      afterRequest(secret, secret.containedAt),
      afterRequest(secret, secret.rotatedAt),
      afterRequest(secret, secret.provenAt),
      atTarget(secret),
    ]),
  )}</div>`;
}

function laneOf(secret: SecretCourse): Lane {
  const { secretName, requestedAt, containedAt, rotatedAt, provenAt, endedAt } = secret;
  const since = (at: number): number => at - requestedAt;
  const end = Math.max(...[containedAt, rotatedAt, endedAt].map((at) => at ?? requestedAt));
  const marks: Mark[] = [];
  if (containedAt !== undefined)
    marks.push({ at: since(containedAt), shape: 'square', title: 'refused at the target' });
  if (rotatedAt !== undefined)
    marks.push({ at: since(rotatedAt), shape: 'circle', title: 'new credential current' });
  if (provenAt !== undefined) marks.push({ at: since(provenAt), shape: 'diamond', title: 'proven' });
  else if (endedAt !== undefined) {
    marks.push({ at: since(endedAt), shape: 'diamond', title: secret.state, hollow: true });
  }
  return {
    name: html`${nameText(secretName)} <span class="quiet">${wordOfState(secret)}</span>`,
    words: `${secretName}, ${wordOfState(secret)}: contained ${afterRequest(secret, containedAt)}, rotated ${afterRequest(secret, rotatedAt)}, proven ${afterRequest(secret, provenAt)} after the request`,
    spans: [
      { from: 0, to: since(containedAt ?? end), kind: 'exposed' },
      ...(containedAt === undefined
        ? []
        : [{ from: since(containedAt), to: since(end), kind: 'calm' as const }]),
    ],
    marks,
  };
}

function atTarget({ cutOffs, error, note, newVersionId }: SecretCourse): Content {
  const lines: Content[] = [
    ...cutOffs.map(
      ({ identity, loginsRefused, sessionsEnded, note: remark }) =>
        html`<div>${nameText(identity)} ${loginsRefused ? 'is refused' : html`<strong>is not refused</strong>`}${sessionsEnded !== undefined && `, ${sessionsEnded} ${sessionsEnded === 1 ? 'session' : 'sessions'} ended`}${remark !== undefined && html` (${nameText(remark)})`}</div>`,
    ),
    ...(error === undefined ? [] : [html`<div>${code(error.code)}: ${nameText(error.message)}</div>`]),
    ...(note === undefined ? [] : [html`<div>${nameText(note)}</div>`]),
    ...(newVersionId === undefined ? [] : [html`<div class="quiet">new version ${code(newVersionId)}</div>`]),
  ];
  return lines.length === 0 ? undefined : lines;
}

/** Shows what other environments did, whose own logs hold the records. */
const secretsElsewhere = (incident: IncidentCourse) =>
  html`<div class="sheet">${table(
    'Each of them has an audit log of its own with the records, which knows its part by the request. Times are counted from the first request here.',
    [
      { heading: 'Environment' },
      { heading: 'Secret' },
      { heading: 'State' },
      { heading: 'Contained', number: true },
      { heading: 'Request there' },
    ],
    rowsElsewhere(incident).map(({ place, secret, state, tone, contained, request }) => [
      nameText(place),
      nameText(secret),
      badge(tone, state),
      contained,
      code(request),
    ]),
  )}</div>`;

const tasksOf = (tasks: readonly Task[]) =>
  html`<div class="sheet">${table(
    'Done is what a person said.',
    [{ heading: 'Task' }, { heading: 'State' }, { heading: 'Leads to it' }, { heading: 'What was done' }],
    tasks.map(({ task, doneAt, via, note }) => [
      nameText(task),
      doneAt === undefined ? badge('warn', 'open') : badge('good', 'done'),
      via === undefined ? undefined : nameText(via),
      doneAt === undefined
        ? undefined
        : html`${timeText(doneAt)}${note !== undefined && html`: ${nameText(note)}`}`,
    ]),
  )}</div>`;

function whoDidWhat({ people }: IncidentCourse) {
  if (people.length === 0) return html`<p>No person is named in the records.</p>`;
  return html`<div class="sheet">${table(
    'A name on their own word was sent with the request: compare it with CloudTrail before you rely on it.',
    [{ heading: 'Who' }, { heading: 'Vouched for by' }, { heading: 'Did' }, { heading: 'When' }],
    people.map((deed) => [
      nameText(deed.who),
      badge(toneOfDeed(deed), vouchedBy(deed)),
      nameText(deed.what),
      timeText(deed.at),
    ]),
  )}</div>`;
}

/** Gives the tone of what vouches for a deed. CloudTrail may confirm the words of a sender, or name another caller. */
const toneOfDeed = ({ attested, proven }: Deed): 'good' | 'bad' | 'plain' => {
  if (proven !== undefined) return proven.agrees ? 'good' : 'bad';
  return attested === 'proven' ? 'good' : 'plain';
};

const timelineTable = (timeline: readonly Entry[]) =>
  html`<div class="sheet">${table(
    `${timeline.length} records, each fact once.`,
    [{ heading: 'When' }, { heading: 'What' }, { heading: 'By' }, { heading: 'Record', number: true }],
    timeline.map(({ at, what, tone, who, attested, proven, sequence }) => [
      timeText(at),
      html`${tone !== 'plain' && html`${badge(tone, toneWords[tone])} `}${nameText(what)}`,
      who === undefined
        ? undefined
        : html`${nameText(who)}${attested === 'claimed' && html` <span class="quiet">(${vouchedBy({ attested, proven })})</span>`}`,
      String(sequence),
    ]),
  )}</div>`;

const toneWords = { good: 'done', warn: 'look', bad: 'failed' } as const;

function restsOn({ requests, correlations, sequences, secrets }: IncidentCourse, evidence: Evidence) {
  const { intact, head, source, records } = evidence.verification;
  return html`<div class="sheet">${facts([
    ['Audit log', code(source)],
    [
      'Verified',
      intact
        ? html`${badge('good', 'intact')} all ${records} records, unchanged and in order`
        : html`${badge('bad', 'not intact')} see evidence/verification.json`,
    ],
    ['Head of the log', code(head)],
    ['Records of this incident', `${sequences.length}, in evidence/records.ndjson`],
    ['Requests', requests.map((id) => html`<div>${code(id)}</div>`)],
    ['Correlations', correlations.map((id) => html`<div>${code(id)}</div>`)],
    ['Still open', `${secrets.filter(isOpen).length} of ${secrets.length} revocations`],
  ])}</div>`;
}
