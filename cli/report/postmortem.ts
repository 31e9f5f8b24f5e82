import type { IncidentCourse } from '../../core/incident/incident-course.ts';
import { rowsElsewhere } from '../elsewhere-words.ts';
import { afterRequest, clockTime, vouchedBy, wordOfState } from '../incident-words.ts';
import { formatDuration } from '../time.ts';

/** Characters that Markdown or HTML takes for markup, and those that end a line or turn its order. */
const marks = /[\\`*_{}[\]()<>#|!~&+-]/g;
const unsafe = /\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** Writes a text from outside so that Markdown shows it as it is, on one line. */
const plainMarkdown = (text: string): string =>
  text.toWellFormed().replace(/\s+/g, ' ').replace(unsafe, '\ufffd').replace(marks, '\\$&');

const word = (ms: number | undefined): string =>
  ms === undefined ? 'not reached for all' : formatDuration(ms);

const listOf = (items: readonly string[], none: string): string =>
  items.length === 0 ? `${none}\n` : items.map((item) => `- ${item}\n`).join('');

const tableOf = (headings: readonly string[], rows: readonly (readonly string[])[]): string =>
  [headings, headings.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');

/** Writes the draft of a postmortem: what the records say is filled in, what people must answer is asked. */
export function postmortem(incident: IncidentCourse, environment: string): string {
  const { id, state, drill, requestedAt, closedAt, lastAt, times, secrets, tasks, people, timeline, open } =
    incident;
  const t = plainMarkdown;
  return `# ${drill ? 'Rehearsal' : 'Postmortem'}: ${t(id)}

Draft, made from the audit log of ${t(environment)}. What stands in a quote is for people to fill in.

| | |
|---|---|
| State | ${state} |
| Began | ${clockTime(requestedAt)} |
| Ended | ${closedAt === undefined ? `open; last record ${clockTime(lastAt)}` : clockTime(closedAt)} |
| Time to contain | ${word(times.contain)} |
| Time to rotate | ${word(times.rotate)} |
| Time to prove | ${word(times.prove)} |
| Reason given | ${t(incident.reasons.join('; ')) || 'none'} |

## Summary

> In three sentences: what leaked, what could be done with it, what was done about it.

## What is open

${listOf(open.map(t), 'Nothing.')}
## Secrets

${tableOf(
  ['Secret', 'State', 'Mode', 'Contained', 'Rotated', 'Proven', 'Request'],
  secrets.map((secret) => [
    t(secret.secretName),
    wordOfState(secret),
    t(secret.mode ?? ''),
    afterRequest(secret, secret.containedAt),
    afterRequest(secret, secret.rotatedAt),
    afterRequest(secret, secret.provenAt),
    t(secret.requestId),
  ]),
)}${
  incident.elsewhere.length === 0
    ? ''
    : `
## Secrets of other environments

Their own audit logs hold the records; look there by the request.

${tableOf(
  ['Environment', 'Secret', 'State', 'Contained', 'Request there'],
  rowsElsewhere(incident).map((row) => [
    t(row.place),
    t(row.secret),
    t(row.state),
    row.contained,
    t(row.request),
  ]),
)}`
}${
  tasks.length === 0
    ? ''
    : `
## Tasks for people

${listOf(
  tasks.map(
    ({ task, doneAt, note }) =>
      `${doneAt === undefined ? 'OPEN' : `done ${clockTime(doneAt)}`}: ${t(task)}${note === undefined ? '' : `: ${t(note)}`}`,
  ),
  'None.',
)}`
}
## Timeline

${tableOf(
  ['When', 'What', 'By', 'Record'],
  timeline.map(({ at, what, who, attested, proven, sequence }) => [
    clockTime(at),
    t(what),
    who === undefined
      ? ''
      : `${t(who)}${attested === 'claimed' ? ` (${t(vouchedBy({ attested, proven }))})` : ''}`,
    String(sequence),
  ]),
)}
## Who did what

${listOf(
  people.map((deed) => `${t(deed.who)} (${t(vouchedBy(deed))}), ${clockTime(deed.at)}: ${t(deed.what)}`),
  'No person is named in the records.',
)}
## Before the request

> When did the credential leak, and where? When did somebody notice, and how? What happened in between?
> These records begin with the request for the revocation.

## What could be done with it

> Which data and systems did the credential reach? What do their own logs show for the time in which it worked?
> Which copies, tokens and sessions may outlive it?

## Impact

> Who was without a working credential, and for how long? Who noticed?

## What went well, and what did not

>

## What will be different

| What | Who | By when |
|---|---|---|
| | | |
`;
}
