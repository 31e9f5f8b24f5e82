import type { Fact } from './fact.ts';
import { cutOffsIn, type SecretCourse, selectionOf } from './secret-course.ts';

/** Kind of what happened, for the rows of a picture. */
export type EntryKind =
  | 'request'
  | 'quarantine'
  | 'approval'
  | 'containment'
  | 'rotation'
  | 'proof'
  | 'task'
  | 'people';

/**
 * The voucher for who did something. `claimed`: the sender's own word, since the bus attests the account alone. `proven`: STS
 * answered who it is. `trail`: CloudTrail recorded the call. `function`: IAM holds each function to its own events.
 */
export type Attestation = 'claimed' | 'proven' | 'trail' | 'function';

/** A caller as CloudTrail recorded it. */
export interface Proven {
  readonly who: string;
  /** True where the words of the sender name it. */
  readonly agrees: boolean;
}

/** One line of a timeline. */
export interface Entry {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Number of the record that tells of it. */
  readonly sequence: number;
  readonly detailType: string;
  readonly kind: EntryKind;
  readonly what: string;
  readonly tone: 'good' | 'warn' | 'bad' | 'plain';
  readonly who?: string;
  readonly attested: Attestation;
  /** Caller as CloudTrail recorded it, beside the words of the sender; absent where the trail tells nothing of it. */
  readonly proven?: Proven;
  readonly secretName?: string;
  readonly requestId?: string;
}

type Tone = Entry['tone'];

/** The way in which events of one kind stand in a timeline. */
interface Line {
  readonly kind: EntryKind;
  readonly tone?: Tone | ((fact: Fact) => Tone);
  readonly what: (fact: Fact, word: (name: string) => string) => string;
}

const approval = (verb: string, tone?: Tone): Line => ({
  kind: 'approval',
  ...(tone !== undefined && { tone }),
  what: (_fact, word) => `${verb}: ${word('act')} of ${word('subject')}${because(word('reason'))}`,
});

const because = (reason: string): string => (reason === '' ? '' : `, because: ${reason}`);

const errorOf = ({ recorded: { error } }: Fact): string =>
  error === undefined ? '' : `${error.code}: ${error.message}`;

const cutOffWords = (fact: Fact): string =>
  cutOffsIn(fact)
    .map(({ identity, loginsRefused, sessionsEnded }) => {
      const sessions =
        sessionsEnded === undefined
          ? ''
          : `, ${sessionsEnded} ${sessionsEnded === 1 ? 'session' : 'sessions'} ended`;
      return `${identity} ${loginsRefused ? 'is refused' : 'is NOT refused yet'}${sessions}`;
    })
    .join('; ');

const lines: Readonly<Record<string, Line>> = {
  'Secret Revocation Requested': {
    kind: 'request',
    tone: 'warn',
    what: ({ recorded: { data } }, word) =>
      `Revocation asked for ${data.asOf === undefined ? '' : 'again '}(${word('mode')}) of ${selectionOf(data.select)}${because(word('reason'))}`,
  },
  'Secret Revocation Rejected': {
    kind: 'request',
    tone: 'bad',
    what: (fact) => `Request rejected, nothing was done. ${errorOf(fact)}`,
  },
  'Secret Revocation Started': {
    kind: 'request',
    what: (_fact, word) => `Revocation of ${word('secretName')} began (${word('mode')})`,
  },
  'Credential Contained': {
    kind: 'containment',
    tone: (fact) => (cutOffsIn(fact).every(({ loginsRefused }) => loginsRefused) ? 'good' : 'warn'),
    what: (fact, word) => `Credential of ${word('secretName')} cut off: ${cutOffWords(fact) || 'no login'}`,
  },
  'Secret Rotation Started': {
    kind: 'rotation',
    what: (_fact, word) => `Rotation of ${word('secretName')} began`,
  },
  'Secret Rotation Succeeded': {
    kind: 'rotation',
    tone: 'good',
    what: (_fact, word) => `New credential of ${word('secretName')} is current`,
  },
  'Secret Rotation Failed': {
    kind: 'rotation',
    tone: 'bad',
    what: (fact, word) => `Rotation of ${word('secretName')} failed in ${word('step')}. ${errorOf(fact)}`,
  },
  'Secret Revocation Succeeded': {
    kind: 'proof',
    tone: 'good',
    what: (_fact, word) => `Proven: the target refuses the leaked credential of ${word('secretName')}`,
  },
  'Secret Revocation Unproven': {
    kind: 'proof',
    tone: 'warn',
    what: (_fact, word) => `Not proven: ${word('secretName')} was replaced. ${word('note')}`,
  },
  'Secret Revocation Failed': {
    kind: 'proof',
    tone: 'bad',
    what: (fact, word) => `Revocation of ${word('secretName')} failed at ${word('stage')}. ${errorOf(fact)}`,
  },
  'Revocation Planned': {
    kind: 'request',
    what: ({ recorded: { data } }, word) =>
      `Plan made for ${word('selection')}: ${countOf(data.secrets)} secrets, ${countOf(data.tasks)} tasks`,
  },
  'Revocation Task Opened': {
    kind: 'task',
    tone: 'warn',
    what: (_fact, word) => `To do for ${word('via')}: ${word('task')}`,
  },
  'Revocation Task Done': {
    kind: 'task',
    tone: 'good',
    what: (_fact, word) => `Task ${word('taskId')} done: ${word('note')}`,
  },
  'Revocation Member Concluded': {
    kind: 'proof',
    tone: ({ recorded }) => (['proven', 'none'].includes(recorded.text('outcome') ?? '') ? 'good' : 'warn'),
    what: (fact, word) =>
      `Part of ${word('environment')} in ${word('account')}, ${word('region')} ended as ${word('outcome')}${errorOf(fact) === '' ? '' : `. ${errorOf(fact)}`}`,
  },
  'Revocation Concluded': {
    kind: 'proof',
    tone: ({ recorded }) => (recorded.text('outcome') === 'proven' ? 'good' : 'warn'),
    what: ({ recorded: { data } }, word) =>
      `Plan concluded, ${word('outcome')}: ${countOf(data.succeeded)} proven, ${countOf(data.unproven)} unproven, ${countOf(data.failed)} failed, ${countOf(data.openTasks)} tasks open`,
  },
  'Principal Quarantine Requested': {
    kind: 'quarantine',
    tone: 'warn',
    what: (_fact, word) =>
      `Quarantine of ${word('principal')} asked for (${word('scope')})${because(word('reason'))}`,
  },
  'Principal Quarantined': {
    kind: 'quarantine',
    tone: 'good',
    what: (_fact, word) =>
      word('scope') === 'all'
        ? `${word('principal')} is denied everything until it is lifted`
        : `Sessions of ${word('principal')} that began before ${word('before')} are denied everything`,
  },
  'Principal Quarantine Lift Requested': {
    kind: 'quarantine',
    what: (_fact, word) =>
      `End of the quarantine of ${word('principal')} asked for${because(word('reason'))}`,
  },
  'Principal Quarantine Lifted': {
    kind: 'quarantine',
    what: (_fact, word) => `Quarantine of ${word('principal')} lifted`,
  },
  'Principal Quarantine Refused': {
    kind: 'quarantine',
    tone: 'bad',
    what: (fact, word) => `Quarantine of ${word('principal')} refused, nothing was changed. ${errorOf(fact)}`,
  },
  'Approval Requested': approval('A second person was asked for', 'warn'),
  'Approval Escalated': approval('Nobody had answered, more people were asked', 'warn'),
  'Approval Granted': approval('Approved', 'good'),
  'Approval Refused': approval('Approval refused', 'bad'),
  'Approval Expired': approval('Nobody answered in time', 'bad'),
  'Approval Bypassed': approval('Done without a second person', 'warn'),
  'Request Attributed': {
    kind: 'people',
    tone: ({ recorded }) => (recorded.data.agrees === true ? 'good' : 'bad'),
    what: ({ recorded }, word) =>
      recorded.data.agrees === true
        ? `CloudTrail: ${word('about')} for ${word('subject')} was called by whom it names`
        : `CloudTrail: ${word('about')} for ${word('subject')} was called by another than it names, which is ${word('claimed') || 'nobody'}`,
  },
  'Incident Acknowledged': {
    kind: 'people',
    what: (_fact, word) => `Taken on${word('note') === '' ? '' : `: ${word('note')}`}`,
  },
  'Incident Escalated': {
    kind: 'people',
    tone: 'warn',
    what: ({ recorded: { data } }) => `Nobody had taken it on, step ${countOf(data.step)} of the escalation`,
  },
  'Legal Hold Placed': {
    kind: 'people',
    what: ({ recorded: { data } }, word) =>
      `Legal hold on ${countOf(data.objects)} objects of the log${because(word('reason'))}`,
  },
};

const countOf = (value: unknown): string =>
  typeof value === 'number' ? String(value) : 'an unknown number of';

/** Tells whether an event is what was taken out of the trail. IAM lets the one function put events of this source. */
const isAttribution = ({ detailType, source }: Pick<Fact, 'detailType' | 'source'>): boolean =>
  detailType === 'Request Attributed' && source === 'rekey.trail';

function provenIn({ data }: Fact['recorded']): Proven | undefined {
  const { principal } = Object(data.proven) as { principal?: unknown };
  return typeof principal === 'string' ? { who: principal, agrees: data.agrees === true } : undefined;
}

/**
 * Finds the caller of each event of which the trail tells, by the event's own id. Of several calls the first counts, and one that
 * disagrees goes before others: it is what people must see.
 */
function provenByFact(facts: readonly Fact[]): ReadonlyMap<string, Proven> {
  const found = new Map<string, Proven>();
  for (const fact of facts.filter(isAttribution)) {
    const proven = provenIn(fact.recorded);
    if (proven === undefined || fact.causationId === undefined) continue;
    const known = found.get(fact.causationId);
    if (known === undefined || (known.agrees && !proven.agrees)) found.set(fact.causationId, proven);
  }
  return found;
}

/** Says who did what an event tells of, and what vouches for that. */
function doerOf({ recorded, source, detailType }: Fact): { who?: string; attested: Attestation } {
  const { metadata } = recorded;
  if (isAttribution({ detailType, source })) {
    const { who } = provenIn(recorded) ?? {};
    return { ...(who !== undefined && { who }), attested: 'trail' };
  }
  const approver = recorded.text('approver');
  if (approver !== undefined) return { who: approver, attested: 'proven' };
  const author = recorded.text('author');
  if (author !== undefined && detailType === 'Approval Bypassed') {
    return { who: author, attested: recorded.data.authorProven === true ? 'proven' : 'claimed' };
  }
  const { actor } = metadata;
  const claimedActor = metadata.claimedActor ?? recorded.text('claimedActor');
  if (typeof claimedActor === 'string') return { who: claimedActor, attested: 'claimed' };
  const ofFunction = source.startsWith('rekey.') && !/^rekey\.cli(?:[./]|$)/.test(source);
  return typeof actor === 'string'
    ? { who: actor, attested: ofFunction ? 'function' : 'claimed' }
    : { attested: 'claimed' };
}

/** Writes what happened, a line each, in order. */
export function timelineOf(facts: readonly Fact[], secrets: readonly SecretCourse[]): readonly Entry[] {
  const names = new Map(secrets.map(({ requestId, secretName }) => [requestId, secretName]));
  const callers = provenByFact(facts);
  return facts.map((fact) => {
    const { at, sequence, detailType, recorded, requestId } = fact;
    const line = lines[detailType];
    const tone = typeof line?.tone === 'function' ? line.tone(fact) : (line?.tone ?? 'plain');
    const secretName = recorded.text('secretName') ?? names.get(requestId ?? '');
    const { id } = recorded.metadata;
    const proven = typeof id === 'string' ? callers.get(id) : undefined;
    return {
      at,
      sequence,
      detailType,
      kind: line?.kind ?? 'people',
      what: line?.what(fact, (name) => recorded.text(name) ?? '') ?? detailType,
      tone,
      ...doerOf(fact),
      ...(proven !== undefined && { proven }),
      ...(secretName !== undefined && { secretName }),
      ...(requestId !== undefined && { requestId }),
    };
  });
}
