import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { type DetailType, detailSchema, detailTypes } from '../core/events/catalogue.ts';
import type { SecretTypeDescriptor } from '../rotators/descriptor.ts';
import { registry } from '../rotators/registry.ts';
import { byHandPage } from './by-hand.ts';
import { errorsPage, findingsPage } from './catalogues.ts';
import { changesPart } from './changes.ts';
import { httpRecipes } from './http-recipes.ts';
import { rulesPart, stagesTable } from './policy-parts.ts';
import { formatFigures } from './preflight-formats.ts';
import { durationsTable, quotasTable } from './scale.ts';
import { templateRulesPage } from './template-rules.ts';
import { wallsTable } from './walls/table.ts';

/**
 * Writes the parts of the documentation that follow from code. They are the JSON Schemas of all events with their index, the
 * pages of all errors and findings, the page of the recipes for HTTP APIs, that of steps by hand, the table of secret types in the README, and that of
 * changes in the page on deployment, the rules of a policy, and the figures of scale. `npm run docs` runs it; a test fails when the
 * committed files differ.
 */

const root = join(import.meta.dirname, '..');
const eventsFolder = 'docs/events';

/** Meaning of each event, and who announces it; a new event of the catalogue must be described here. */
const meanings: Record<DetailType, { readonly source: string; readonly meaning: string }> = {
  'Request Attributed': {
    source: 'rekey.trail',
    meaning:
      'CloudTrail tells who made the call by which something was asked for. It comes minutes later, and says whether the words of the sender name the caller.',
  },
  'Incident Escalated': {
    source: 'rekey.notification',
    meaning: 'Nobody has acknowledged an incident in time, and the next channels are told of it.',
  },
  'Incident Acknowledged': {
    source: 'rekey.cli',
    meaning: 'Somebody has taken an incident on, so it is not escalated any further.',
  },
  'Legal Hold Placed': {
    source: 'rekey.cli',
    meaning: 'Somebody keeps records of an incident from ever being deleted, beyond the lock of the log.',
  },
  'Notification Test Requested': {
    source: 'rekey.cli',
    meaning: 'Somebody asks for a message of no consequence, to see whether channels work.',
  },
  'Principal Quarantine Requested': {
    source: 'rekey.cli',
    meaning: 'A responder asks that a role or user be denied everything.',
  },
  'Principal Quarantine Lift Requested': {
    source: 'rekey.cli',
    meaning: 'A responder asks that a quarantine end, by the id of the request for it.',
  },
  'Principal Quarantined': {
    source: 'rekey.quarantine',
    meaning:
      'The policy that denies everything to the role or user was written: to sessions that began before a time, or to all.',
  },
  'Principal Quarantine Lifted': {
    source: 'rekey.quarantine',
    meaning: 'The policy of a quarantine was taken away.',
  },
  'Principal Quarantine Refused': {
    source: 'rekey.quarantine',
    meaning: 'A request for a quarantine, or for its end, was refused; nothing was changed. Raises an alarm.',
  },
  'Secret Rotation Started': {
    source: 'rekey.rotation',
    meaning:
      'A rotation began; nothing was changed yet. It does not go on unless this event is recorded, but for a revocation.',
  },
  'Secret Rotation Succeeded': {
    source: 'rekey.rotation',
    meaning: 'The new version logged in at the target, where there is one to try, and is current.',
  },
  'Secret Rotation Failed': {
    source: 'rekey.rotation',
    meaning: 'A step failed; the event says which one and why. Secrets Manager tries again.',
  },
  'Secret Rotation Abandoned': {
    source: 'rekey.cli',
    meaning:
      'An operator gives up a rotation that cannot be finished: the version loses AWSPENDING, the current one stays.',
  },
  'Secret Rotation Paused': {
    source: 'rekey.cli',
    meaning:
      'An operator keeps rotations of a secret from beginning until a time, and says why. Revocations go on.',
  },
  'Secret Rotation Resumed': {
    source: 'rekey.cli',
    meaning: 'An operator ended such a pause before its time.',
  },
  'Rotation Function Braked': {
    source: 'rekey.rotation',
    meaning:
      'So many secrets of a rotation function failed in a row that none of its rotations begins. Raises an alarm.',
  },
  'Rotation Function Released': {
    source: 'rekey.cli',
    meaning: 'An operator let go of that brake, and says why; the next rotation is a canary.',
  },
  'Credential Retirement Started': {
    source: 'rekey.rotation',
    meaning:
      'The overlap is over, and the target is about to forget or disable a credential that was replaced.',
  },
  'Credential Retired': {
    source: 'rekey.rotation',
    meaning: 'The overlap ended: the target forgot, or no longer accepts, a credential that was replaced.',
  },
  'Finding Raised': {
    source: 'rekey.rotation, rekey.containment',
    meaning: 'Something that a person should look at; the work itself went on.',
  },
  'Secret Registered': {
    source: 'rekey.lifecycle',
    meaning: 'A secret is looked after from now on: its owner, purpose and expiry.',
  },
  'Secret Ownership Transferred': {
    source: 'rekey.lifecycle',
    meaning: 'The configuration names another owner than was recorded.',
  },
  'Secret Expiry Near': {
    source: 'rekey.lifecycle',
    meaning: 'A secret ends soon; once at each of the days that the configuration names.',
  },
  'Secret Replacement Due': {
    source: 'rekey.lifecycle',
    meaning: 'A person must replace a secret that nothing rotates, soon or already; then every week.',
  },
  'Secret Expired': {
    source: 'rekey.lifecycle',
    meaning:
      'The last day of a secret has passed. Its rotations ended and its target refuses it, or the note says what a person must do.',
  },
  'Secret Expiry Extended': {
    source: 'rekey.lifecycle',
    meaning: 'The expiry of a secret that had ended was put off; it works again after its next rotation.',
  },
  'Secret Revocation Requested': {
    source: 'rekey.cli, or a source that the configuration allows',
    meaning:
      'Somebody asks for a credential to be made to stop working. The only event that Rekey acts upon.',
  },
  'Secret Revocation Rejected': {
    source: 'rekey.revocation',
    meaning: 'A request was refused, and why; nothing was done. Raises an alarm.',
  },
  'Revocation Planned': {
    source: 'rekey.revocation',
    meaning:
      'The plan of a revocation of several secrets: how many, in which mode, and the digest of the plan.',
  },
  'Revocation Task Opened': {
    source: 'rekey.revocation',
    meaning: 'A revocation leads to something that Rekey cannot cut off; a person has to.',
  },
  'Revocation Task Done': {
    source: 'rekey.cli',
    meaning: 'A person says that a task of a revocation is done, and how.',
  },
  'Revocation Member Concluded': {
    source: 'rekey.revocation',
    meaning:
      'The part of an environment elsewhere has ended, or nothing was heard of it; a row for each of its secrets.',
  },
  'Revocation Concluded': {
    source: 'rekey.revocation',
    meaning: 'All secrets of a plan were dealt with: proven, or what is still open.',
  },
  'Secret Revocation Started': {
    source: 'rekey.revocation',
    meaning: 'A request was taken; the versions that count as leaked are fixed.',
  },
  'Credential Contained': {
    source: 'rekey.containment',
    meaning: 'Logins were cut off at the target: whether it refuses them now, and how many sessions ended.',
  },
  'Secret Revocation Succeeded': {
    source: 'rekey.revocation',
    meaning: 'Each revoked credential was tried and refused, and the new one accepted.',
  },
  'Secret Revocation Unproven': {
    source: 'rekey.revocation',
    meaning:
      'The leaked credential was replaced, and nothing that Rekey can reach accepts or refuses it: a person must see to it that its consumers do. Raises an alarm.',
  },
  'Secret Revocation Failed': {
    source: 'rekey.revocation',
    meaning: 'A revocation ended without its proof; the event says at which stage. Raises an alarm.',
  },
  'Fingerprint Looked Up': {
    source: 'rekey.fingerprint',
    meaning:
      'Somebody asked which secret holds a value, by hashes that stand in no record: how many, and what was found.',
  },
  'Signal Received': {
    source: 'rekey.signal',
    meaning:
      'Somebody outside reports a credential of a known secret: what was reported, and what was done. See [signals](../signals.md).',
  },
  'Signal Unresolved': {
    source: 'rekey.signal',
    meaning: 'Somebody outside reports a credential, and no secret is known for it: people must look at it.',
  },
  'Signal Ignored': {
    source: 'rekey.signal',
    meaning: 'A genuine message from outside tells of no new leak.',
  },
  'Signal Rejected': {
    source: 'rekey.signal',
    meaning: 'A message to the address of signals is forged, too old or of another form. Raises an alarm.',
  },
  'Honey Secret Used': {
    source: 'rekey.signal',
    meaning: 'Somebody used a secret that nobody may use: who, from where, when. Raises an alarm.',
  },
  'Approval Requested': {
    source: 'rekey.approval',
    meaning: 'An operation waits for a second person; nothing was done yet.',
  },
  'Approval Escalated': {
    source: 'rekey.approval',
    meaning: 'Nobody has answered for a while; the operation still waits.',
  },
  'Approval Granted': {
    source: 'rekey.approval',
    meaning: 'Another person than the author said yes; the operation goes on.',
  },
  'Approval Refused': {
    source: 'rekey.approval',
    meaning: 'Another person than the author said no; the operation is not done.',
  },
  'Approval Expired': {
    source: 'rekey.approval',
    meaning: 'Nobody answered in time; `onExpiry` says whether the operation is done all the same.',
  },
  'Approval Bypassed': {
    source: 'rekey.revocation',
    meaning: 'Somebody broke the glass: an operation goes on at once without approval. Raises an alarm.',
  },
};

/** Makes the generated files: path relative to the checkout → content. */
export function generate(): ReadonlyMap<string, string> {
  const schemas = detailTypes.map(
    (detailType) => [`${eventsFolder}/${fileName(detailType)}`, eventSchema(detailType)] as const,
  );
  return new Map([
    ...schemas,
    [`${eventsFolder}/README.md`, eventIndex()],
    ['docs/errors.md', errorsPage()],
    ['docs/findings.md', findingsPage()],
    ['docs/template-rules.md', templateRulesPage()],
    ['docs/by-hand.md', byHandPage()],
    ['docs/secret-types/http-recipes.md', httpRecipes()],
    ['README.md', withPart('README.md', 'secret types', secretTypes())],
    ['docs/architecture.md', withPart('docs/architecture.md', 'walls', wallsTable())],
    ['docs/deploy.md', withPart('docs/deploy.md', 'changes', changesPart())],
    [
      'docs/preflight-formats.md',
      withPart('docs/preflight-formats.md', 'figures of formats', formatFigures()),
    ],
    [
      'docs/policy.md',
      withPart('docs/policy.md', 'rules', rulesPart(), withPart('docs/policy.md', 'stages', stagesTable())),
    ],
    [
      'docs/scale.md',
      withPart(
        'docs/scale.md',
        'quotas',
        quotasTable(),
        withPart('docs/scale.md', 'durations', durationsTable()),
      ),
    ],
  ]);
}

/** Lists the files in the events' folder that {@link generate} does not make, relative to the checkout. */
export function leftovers(generated: ReadonlyMap<string, string> = generate()): readonly string[] {
  return readdirSync(join(root, eventsFolder))
    .map((name) => `${eventsFolder}/${name}`)
    .filter((path) => !generated.has(path));
}

const fileName = (detailType: DetailType): string => `${detailType.toLowerCase().replaceAll(' ', '-')}.json`;

/**
 * Writes the schema of an event as EventBridge delivers it, as far as Rekey decides it. What a sender may leave out is not
 * required.
 */
function eventSchema(detailType: DetailType): string {
  const { $schema, ...detail } = z.toJSONSchema(detailSchema(detailType), { io: 'input' });
  const schema = {
    $schema,
    title: detailType,
    description: meanings[detailType].meaning,
    type: 'object',
    properties: {
      source: { type: 'string', description: meanings[detailType].source },
      'detail-type': { const: detailType },
      detail,
    },
    required: ['source', 'detail-type', 'detail'],
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function eventIndex(): string {
  const rows = detailTypes.map((detailType) => {
    const { source, meaning } = meanings[detailType];
    return `| [${detailType}](${fileName(detailType)}) | ${source} | ${meaning} |`;
  });
  return `# Events

Everything that Rekey does is announced on the bus \`rekey-<environment>\`. Generated from \`core/events/catalogue.ts\` by
\`npm run docs\`; each link leads to a JSON Schema of the event as EventBridge delivers it.

No event holds a secret's value or anything derived from it. \`detail.metadata\` is the same on all of them: \`id\` (UUIDv7;
UUIDv5 where the same fact may be announced twice, so that both announcements carry one id), \`schemaVersion\` (additive
changes keep it), \`time\`, \`environment\`, \`actor\`, \`correlationId\` (one rotation or one revocation), \`causationId\` (the
event that led to this one).

| detail-type | source | meaning |
|---|---|---|
${rows.join('\n')}

A rule for everything of one secret:

\`\`\`json
{ "detail": { "data": { "secretName": ["/prod/orders/database"] } } }
\`\`\`

EventBridge delivers at least once and in any order: compare \`metadata.id\`, and order by \`metadata.time\`.
`;
}

/** Writes the part of a page anew that stands between two comments with its name. */
function withPart(
  page: string,
  name: string,
  part: string,
  text = readFileSync(join(root, page), 'utf8'),
): string {
  const [begin, end] = [`<!-- ${name}: generated by npm run docs -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) {
    throw new Error(`${page} must hold the lines ${begin} and ${end}, in this order`);
  }
  return `${text.slice(0, from + begin.length)}\n${part}\n${text.slice(to)}`;
}

function secretTypes(): string {
  const entries: [string, SecretTypeDescriptor][] = Object.entries(registry);
  const rows = entries.map(
    ([type, { title, strategies, verifiedOn, unverifiable }]) =>
      `| [${title}](docs/secret-types/${type}.md) | \`${type}\` | ${strategies.map((name) => `\`${name}\``).join(', ')} | ${unverifiable ? 'nothing to log in to' : verifiedOn.join(', ') || 'nothing yet: never run on the product itself'} |`,
  );
  return ['| secret type | `type` | strategies | verified on |', '|---|---|---|---|', ...rows].join('\n');
}

if (import.meta.main) {
  mkdirSync(join(root, eventsFolder), { recursive: true });
  const generated = generate();
  for (const [path, content] of generated) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  for (const path of leftovers(generated)) {
    rmSync(join(root, path));
  }
}
