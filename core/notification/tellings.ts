import type { AnyEvent, DetailType, EventData, RekeyEvent } from '../events/catalogue.ts';
import { soleSecret } from '../revocation/selection.ts';
import { incidentIdOf } from './incident-id.ts';
import type { Fact, Notice } from './notice.ts';
import { quarantineTellings } from './quarantine-tellings.ts';
import { revocationTellings } from './revocation-tellings.ts';
import type { Urgency } from './settings.ts';
import { nameInArn, ofSecret, silent, type Telling } from './telling.ts';
import { plain } from './text.ts';

/** Characters of a name, and of a text, that a message has room for. */
const longestName = 256;
const longestText = 300;

const ofRotation = ({ secretArn }: { readonly secretArn: string }): string => `rotation:${secretArn}`;
const ofBrake = ({ functionName }: { readonly functionName: string }): string => `brake:${functionName}`;
const ofApproval = ({ act, subject }: { readonly act: string; readonly subject: string }): string =>
  `${act} of ${subject}`;
const ofAwaited = ({ requestId }: { readonly requestId: string }): string => `approval:${requestId}`;
const factsOfAwaited = ({
  requestId,
  author,
  reason,
  expiresAt,
  onExpiry,
}: EventData<'Approval Requested'>): Readonly<Record<string, string>> => ({
  request: requestId,
  author,
  reason,
  until: expiresAt,
  'without an answer': onExpiry,
});
const ofSignal = ({ kind, signalId }: { readonly kind: string; readonly signalId: string }): string =>
  `signal:${kind}:${signalId}`;
type SignalDecision = EventData<'Signal Received'>['decision'];
const urgencyOfSignal: Readonly<Record<SignalDecision, Urgency>> = {
  asked: 'emergency',
  requested: 'warning',
  replaced: 'warning',
  recorded: 'information',
};
const titleOfSignal: Readonly<Record<SignalDecision, string>> = {
  asked: 'Leak reported, a person must decide',
  requested: 'Leak reported, its revocation was requested',
  replaced: 'Leak reported of a credential that was replaced before',
  recorded: 'Leak reported, recorded alone',
};
/** Every kind of event, and how it is told. A kind that is added to the catalogue must be decided about here. */
const tellings: { readonly [T in DetailType]: Telling<T> } = {
  ...revocationTellings,
  'Rotation Function Braked': {
    urgency: 'emergency',
    title: 'Brake engaged, no rotation of the function begins',
    subject: ({ functionName }) => functionName,
    facts: ({ failedSecrets }) => ({ failed: failedSecrets.join(', ') }),
    incident: { act: 'opens', key: ofBrake },
    runbook: 'rotation-braked',
  },
  'Rotation Function Released': {
    urgency: 'information',
    title: 'Brake released',
    subject: ({ functionName }) => functionName,
    facts: ({ reason }) => ({ reason }),
    incident: { act: 'resolves', key: ofBrake },
  },
  'Secret Rotation Failed': {
    urgency: 'warning',
    title: 'Rotation failed, the current credential still works',
    subject: ofSecret,
    facts: ({ secretType, step, error }) => ({ type: secretType, step, code: error.code }),
    incident: { act: 'opens', key: ofRotation },
    runbook: 'rotation-failed',
  },
  'Secret Rotation Succeeded': {
    urgency: 'information',
    title: 'Rotation succeeded',
    subject: ofSecret,
    facts: ({ secretType }) => ({ type: secretType }),
    incident: { act: 'resolves', key: ofRotation },
  },
  'Secret Rotation Started': silent('Rotation started', ofSecret),
  'Secret Rotation Abandoned': silent('Rotation given up', ofSecret),
  'Secret Rotation Paused': {
    ...silent('Rotations paused', ofSecret),
    facts: ({ until, reason }) => ({ until, reason }),
  },
  'Secret Rotation Resumed': silent('Rotations resumed', ofSecret),
  'Credential Retirement Started': silent('Retirement started', ofSecret),
  'Credential Retired': silent('Credential retired', ofSecret),
  'Finding Raised': {
    urgency: 'warning',
    title: 'Finding',
    subject: ({ secretArn }) => nameInArn(secretArn),
    facts: ({ code, severity }) => ({ code, severity }),
    incident: { act: 'tells', key: ({ secretArn, code }) => `finding:${secretArn}:${code}` },
  },
  'Secret Registered': {
    ...silent('Secret registered', ofSecret),
    facts: ({ owner, expires }) => ({ owner, expires }),
  },
  'Secret Ownership Transferred': {
    urgency: 'warning',
    title: 'Secret has another owner',
    subject: ofSecret,
    facts: ({ from, to }) => ({ from, to }),
  },
  'Secret Expiry Near': {
    urgency: 'warning',
    title: 'Secret ends soon',
    subject: ofSecret,
    facts: ({ owner, date, daysLeft }) => ({ owner, 'last day': date, 'days left': String(daysLeft) }),
    incident: { act: 'tells', key: ({ secretArn, date }) => `expiry:${secretArn}:${date}` },
  },
  'Secret Replacement Due': {
    urgency: 'warning',
    title: 'Secret must be replaced by a person',
    subject: ofSecret,
    facts: ({ owner, date, daysLeft }) => ({ owner, due: date, 'days left': String(daysLeft) }),
    incident: { act: 'tells', key: ({ secretArn, date }) => `replacement:${secretArn}:${date}` },
  },
  'Secret Expired': {
    urgency: 'warning',
    title: 'Secret has expired',
    subject: ofSecret,
    facts: ({ owner, expires, ended, note }) => ({
      owner,
      'last day': expires,
      refused: ended ? 'yes' : 'not seen',
      task: note,
    }),
    incident: { act: 'tells', key: ({ secretArn, expires }) => `expired:${secretArn}:${expires}` },
  },
  'Secret Expiry Extended': {
    ...silent('Expiry of a secret put off', ofSecret),
    facts: ({ owner, expires }) => ({ owner, 'last day': expires }),
  },
  'Fingerprint Looked Up': {
    urgency: ({ found }) => (found > 0 ? 'warning' : 'information'),
    title: 'Value of a secret found somewhere',
    subject: ({ matches }) => matches[0]?.secretName ?? 'no match',
    facts: ({ found }) => ({ matches: String(found) }),
  },
  'Approval Requested': {
    urgency: 'emergency',
    title: 'Approval needed',
    subject: ofApproval,
    facts: factsOfAwaited,
    incident: { act: 'opens', key: ofAwaited },
  },
  'Approval Escalated': {
    urgency: 'emergency',
    title: 'Approval still needed, nobody has answered',
    subject: ofApproval,
    facts: factsOfAwaited,
    incident: { act: 'opens', key: ofAwaited },
  },
  'Approval Granted': {
    urgency: 'emergency',
    title: 'Approved',
    subject: ofApproval,
    facts: ({ requestId, author, approver, way }) => ({ request: requestId, author, approver, way }),
    incident: { act: 'resolves', key: ofAwaited },
  },
  'Approval Refused': {
    urgency: 'emergency',
    title: 'Approval refused',
    subject: ofApproval,
    facts: ({ requestId, author, approver, reason }) => ({ request: requestId, author, approver, reason }),
    incident: { act: 'resolves', key: ofAwaited },
  },
  'Approval Expired': {
    urgency: 'emergency',
    title: 'Approval expired without an answer',
    subject: ofApproval,
    facts: ({ requestId, author, onExpiry }) => ({
      request: requestId,
      author,
      'without an answer': onExpiry,
    }),
    incident: { act: 'resolves', key: ofAwaited },
  },
  'Approval Bypassed': {
    urgency: 'emergency',
    title: 'Glass broken, done without approval',
    subject: ofApproval,
    facts: ({ requestId, author, authorProven, reason }) => ({
      request: requestId,
      author: authorProven ? author : `${author} (as the sender says)`,
      reason,
    }),
    incident: { act: 'opens', key: ({ requestId }) => `bypass:${requestId}` },
  },
  'Signal Received': {
    urgency: ({ decision }) => urgencyOfSignal[decision],
    title: ({ decision }) => titleOfSignal[decision],
    subject: ofSecret,
    facts: ({ kind, severity, evidence, url, owner, alive, command }) => ({
      from: kind,
      severity,
      evidence,
      page: url,
      owner,
      'may still work': alive,
      'to revoke it': command,
    }),
    incident: { act: 'tells', key: ofSignal },
    runbook: 'signal-to-decide',
  },
  'Signal Unresolved': {
    urgency: ({ policy, severity }) =>
      policy === 'record'
        ? 'information'
        : severity === 'critical' || severity === 'high'
          ? 'emergency'
          : 'warning',
    title: 'Leak reported, and no secret is known for it',
    subject: ({ signalId }) => signalId,
    facts: ({ kind, severity, evidence, url, accessKeyIds, reason }) => ({
      from: kind,
      severity,
      evidence,
      page: url,
      'access keys': accessKeyIds?.join(', '),
      reason: reason === 'unnamed' ? 'the sender does not say which credential' : 'no secret here holds it',
    }),
    incident: { act: 'tells', key: ofSignal },
    runbook: 'signal-to-decide',
  },
  'Signal Ignored': silent('Signal ignored', ({ kind }: Record<'kind', string>) => kind),
  'Signal Rejected': {
    urgency: 'warning',
    title: 'Message to the address of signals refused',
    subject: ({ kind }) => kind,
    facts: ({ error }) => ({ code: error.code, reason: error.message }),
    incident: { act: 'tells', key: ({ kind, error }) => `signal-rejected:${kind}:${error.code}` },
    runbook: 'signal-rejected',
  },
  'Honey Secret Used': {
    urgency: 'emergency',
    title: 'Honey secret used, somebody is where nobody should be',
    subject: ofSecret,
    facts: ({ owner, used, principal, call, sourceAddress, userAgent, usedAt, refused }) => ({
      owner,
      used,
      principal,
      call,
      'source address': sourceAddress,
      'user agent': userAgent,
      at: usedAt,
      refused,
    }),
    // All uses by one principal are one matter.
    incident: { act: 'opens', key: ({ secretArn, principal }) => `honey:${secretArn}:${principal}` },
    runbook: 'honey-secret-used',
  },
  'Request Attributed': {
    urgency: ({ agrees }) => (agrees ? 'information' : 'emergency'),
    title: ({ agrees }) =>
      agrees ? 'CloudTrail confirms who asked' : 'Somebody else asked than the request says',
    subject: ({ subject }) => subject,
    facts: ({ about, requestId, claimed, proven }) => ({
      asked: about,
      request: requestId,
      claimed,
      'called by': proven.principal,
      'source address': proven.sourceAddress,
      'user agent': proven.userAgent,
      at: proven.time,
      'CloudTrail event': proven.trailEventId,
    }),
    incident: {
      act: ({ agrees }) => (agrees ? 'tells' : 'opens'),
      key: ({ requestId }) => `disputed:${requestId}`,
    },
    runbook: 'request-disputed',
  },
  ...quarantineTellings,
  'Incident Escalated': {
    urgency: ({ urgency }) => urgency,
    title: 'Nobody has acknowledged',
    subject: ({ subject }) => subject,
    facts: ({ event, step, openedAt }) => ({ event, step: String(step), since: openedAt }),
    incident: { act: 'escalates', key: ({ incidentId }) => `#${incidentId}` },
  },
  'Incident Acknowledged': {
    urgency: 'information',
    title: 'Incident acknowledged',
    subject: ({ incidentId }) => incidentId,
    facts: ({ note }) => ({ note }),
    incident: { act: 'acknowledges', key: ({ incidentId }) => `#${incidentId}` },
  },
  'Legal Hold Placed': {
    urgency: 'information',
    title: 'Legal hold on records of the audit log',
    subject: ({ incident }) => incident,
    facts: ({ objects, reason }) => ({ objects: String(objects), reason }),
  },
  'Notification Test Requested': {
    urgency: 'warning',
    title: 'Test of notifications, nothing has happened',
    subject: () => 'test',
  },
};

/** Writes an event as a message: names, codes and ids in bounded lines, and the way to the runbook. */
export function noticeOf(event: AnyEvent, runbookUrl?: string): Notice {
  const { detailType, detail } = event as RekeyEvent<DetailType>;
  // The union of all kinds has no common function; the table pairs each kind with its own data.
  const telling = tellings[detailType] as Telling<DetailType>;
  const { data, metadata } = detail;
  const subject = plain(telling.subject(data), longestName) || 'unnamed';
  const incident = telling.incident && {
    id: incidentIdOf(telling.incident.key(data, metadata.id)),
    act: typeof telling.incident.act === 'function' ? telling.incident.act(data) : telling.incident.act,
  };
  const facts: Fact[] = Object.entries({
    environment: metadata.environment,
    ...telling.facts?.(data),
    time: metadata.time,
    by: metadata.actor,
    correlation: metadata.correlationId,
    ...(incident !== undefined && incident.act !== 'tells' && { incident: incident.id }),
  }).flatMap(([name, value]) => {
    const text = value === undefined ? '' : plain(value, longestText);
    return text === '' ? [] : [{ name, value: text }];
  });
  return {
    id: metadata.id,
    kind: detailType,
    environment: plain(metadata.environment, 64),
    time: metadata.time,
    urgency: typeof telling.urgency === 'function' ? telling.urgency(data) : telling.urgency,
    title: `${typeof telling.title === 'function' ? telling.title(data) : telling.title}: ${subject}`,
    subject,
    facts,
    ...(telling.runbook !== undefined && {
      runbook:
        runbookUrl === undefined
          ? `docs/runbooks/${telling.runbook}.md`
          : `${runbookUrl}${telling.runbook}.md`,
    }),
    ...(incident !== undefined && { incident }),
  };
}

/** Names the secret that an event is about, whose definition says who answers for it. */
export function secretOf({ detail: { data } }: AnyEvent): string | undefined {
  if ('secretArn' in data && data.secretArn.startsWith('arn:')) return data.secretArn;
  if ('secretName' in data) return data.secretName;
  return 'select' in data ? soleSecret(data.select) : undefined;
}

/** Tells whether an event is only told where a route asks for it, and belongs to no incident. */
export const isSilent = (detailType: DetailType): boolean => {
  const { urgency, incident } = tellings[detailType];
  return urgency === 'information' && incident === undefined;
};
