import { type Entries, menders } from '../core/errors/catalogue/entry.ts';
import { errorCatalogue } from '../core/errors/catalogue/index.ts';
import { type ErrorGroup, isErrorCode, isRetryable } from '../core/errors/codes.ts';
import { findingCatalogue } from '../core/findings/catalogue.ts';
import { type FindingCode, severities, severityOf } from '../core/findings/codes.ts';

/** Headings for the places where the codes of a group arise; a new group must be described here. */
const groups: Readonly<Record<ErrorGroup, string>> = {
  target: 'The target',
  secret: 'The secret',
  aws: 'Calls of AWS',
  rotation: 'The rotation',
  audit: 'The audit log',
  revocation: 'A revocation',
  fingerprint: 'Fingerprints',
  notification: 'Notifications',
  signal: 'Signals from outside',
  approval: 'Approvals',
  quarantine: 'Quarantines',
  deployment: 'The configuration',
  cli: 'The command line',
  local: 'The local cloud',
};

/** Writes the page of all error codes. */
export function errorsPage(): string {
  const people = Object.entries(menders).map(([name, who]) => `| ${name} | ${who} |`);
  const sections = (Object.keys(groups) as ErrorGroup[]).map(
    (group) => `## ${groups[group]}\n\n${entriesOf(errorCatalogue[group]).join('\n\n')}`,
  );
  return `# Errors

Every error of Rekey has a code of this page. Events, logs, \`rekey … --json\`, the \`errorType\` of a function and the error of
a workflow carry the same word. Beside it stands a text, which names the thing, what the server or AWS answered, and what to do;
never a secret. Texts that Rekey did not write itself are left out, since they may quote one.

**Retried** says whether the same call may succeed later without anybody changing anything; it is the \`retryable\` of events,
logs and \`--json\`. Secrets Manager tries a failed rotation again in any case. Generated from \`core/errors/\` by
\`npm run docs\`.

| who can mend it | what they do |
|---|---|
${people.join('\n')}

${sections.join('\n\n')}
`;
}

const entriesOf = (entries: Entries<ErrorGroup> | Partial<Entries<ErrorGroup>>): string[] =>
  Object.entries(entries).map(([code, { meaning, mender, remedy }]) => {
    const retried = isErrorCode(code) && isRetryable(code) ? 'yes' : 'no';
    return `### ${code}\n\n${meaning}\n\n- Retried: ${retried}\n- Who can mend it: ${mender}\n- What to do: ${remedy}`;
  });

/** Writes the page of all codes of findings. */
export function findingsPage(): string {
  const codes = Object.keys(findingCatalogue) as FindingCode[];
  const sections = severities.toReversed().map((severity) => {
    const entries = codes
      .filter((code) => severityOf(code) === severity)
      .map((code) => {
        const { meaning, remedy } = findingCatalogue[code];
        return `### ${code}\n\n${meaning}\n\n- What to do: ${remedy}`;
      });
    return `## Severity ${severity}\n\n${entries.join('\n\n')}`;
  });
  return `# Findings

A finding is something that a person should look at; the rotation or revocation that came upon it went on. It is announced as
[\`Finding Raised\`](events/finding-raised.json) with a code of this page, its severity, and a text that names the thing and,
where there is one, the exact statement. Nothing is tried again because of a finding; the next rotation raises it again if it
still holds. Generated from \`core/findings/\` by \`npm run docs\`.

${sections.join('\n\n')}
`;
}
