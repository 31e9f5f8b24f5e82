import type { DetailType } from '../events/catalogue.ts';
import { selectionText } from '../revocation/selection.ts';
import { revocationKey } from './incident-id.ts';
import type { Act } from './notice.ts';
import type { Urgency } from './settings.ts';
import { drillOf, nameInArn, ofSecret, silent, type Telling } from './telling.ts';

/** Names the incident of a revocation: that of the plan which it belongs to, if any. */
const ofRevocation = ({
  requestId,
  partOf = requestId,
}: {
  readonly requestId: string;
  readonly partOf?: string | undefined;
}): string => revocationKey(partOf);
/** Gives the act of a revocation; one of a plan neither opens nor resolves what the whole is about. */
const ofPart =
  (act: Act) =>
  ({ partOf }: { readonly partOf?: string | undefined }): Act =>
    partOf === undefined ? act : 'tells';
/** Gives the urgency of a revocation; those of a plan are told together, by what it concludes with. */
const unlessPlanned = ({ partOf }: { readonly partOf?: string | undefined }): Urgency =>
  partOf === undefined ? 'emergency' : 'information';
const ofTask = ({ requestId, taskId }: { readonly requestId: string; readonly taskId: string }): string =>
  `task:${requestId}:${taskId}`;
type Told = DetailType & (`Secret Revocation ${string}` | `Revocation ${string}` | 'Credential Contained');

/** The events of revocations, and how they are told. */
export const revocationTellings: { readonly [T in Told]: Telling<T> } = {
  'Secret Revocation Requested': {
    urgency: 'emergency',
    title: 'Revocation requested',
    subject: ({ select }) => {
      const text = selectionText(select);
      return text.startsWith('arn:') ? nameInArn(text) : text;
    },
    facts: ({ mode, reason, incident, drill }) => ({ mode, reason, incident, drill: drillOf(drill) }),
    incident: { act: 'opens', key: (_data, eventId) => revocationKey(eventId) },
  },
  'Secret Revocation Rejected': {
    urgency: 'emergency',
    title: 'Revocation rejected, nothing was done',
    subject: ({ requestId }) => `request ${requestId}`,
    facts: ({ requestSource, error }) => ({ source: requestSource, code: error.code }),
    incident: { act: 'opens', key: ofRevocation },
    runbook: 'revocation-rejected',
  },
  'Secret Revocation Started': {
    urgency: unlessPlanned,
    title: 'Revocation started',
    subject: ofSecret,
    facts: ({ mode, reason, incident, drill }) => ({ mode, reason, incident, drill: drillOf(drill) }),
    incident: { act: ofPart('opens'), key: ofRevocation },
  },
  'Revocation Planned': {
    urgency: 'emergency',
    title: 'Revocation of several secrets planned',
    subject: ({ selection }) => selection,
    facts: ({ mode, secrets, tasks, reason, incident, drill }) => ({
      mode,
      secrets: String(secrets),
      'tasks for people': String(tasks),
      reason,
      incident,
      drill: drillOf(drill),
    }),
    incident: { act: 'opens', key: ofRevocation },
  },
  'Revocation Task Opened': {
    urgency: 'emergency',
    title: 'Task of a revocation, a person must act',
    subject: ({ via }) => via,
    facts: ({ requestId, taskId, task }) => ({ request: requestId, id: taskId, task }),
    incident: { act: 'opens', key: ofTask },
    runbook: 'revocation-unproven',
  },
  'Revocation Task Done': {
    urgency: 'information',
    title: 'Task of a revocation done',
    subject: ({ taskId }) => `task ${taskId}`,
    facts: ({ requestId, taskId, note }) => ({ request: requestId, id: taskId, note }),
    incident: { act: 'resolves', key: ofTask },
  },
  'Revocation Member Concluded': {
    urgency: 'information',
    title: ({ member, outcome }) => `Part of ${member} ended as ${outcome}`,
    subject: ({ requestId }) => `request ${requestId}`,
    facts: ({ environment, account, region, memberRequestId, succeeded, unproven, failed, openTasks }) => ({
      environment,
      account,
      region,
      'request there': memberRequestId,
      succeeded: String(succeeded),
      unproven: String(unproven),
      failed: String(failed),
      'open tasks': String(openTasks),
    }),
  },
  'Revocation Concluded': {
    urgency: 'emergency',
    title: ({ outcome }) =>
      outcome === 'proven'
        ? 'Revocation concluded, every leaked credential is refused'
        : 'Revocation not concluded, something is open',
    subject: ({ requestId }) => `request ${requestId}`,
    facts: ({ succeeded, unproven, failed, openTasks }) => ({
      succeeded: String(succeeded),
      unproven: String(unproven),
      failed: String(failed),
      'open tasks': String(openTasks),
    }),
    incident: { act: ({ outcome }) => (outcome === 'proven' ? 'resolves' : 'opens'), key: ofRevocation },
    runbook: 'revocation-failed',
  },
  'Credential Contained': silent('Credential contained', ofSecret),
  'Secret Revocation Succeeded': {
    urgency: unlessPlanned,
    title: 'Revocation succeeded, the leaked credential is refused',
    subject: ofSecret,
    facts: ({ requestId, refusedAt }) => ({ request: requestId, refused: refusedAt }),
    incident: { act: ofPart('resolves'), key: ofRevocation },
  },
  'Secret Revocation Unproven': {
    urgency: 'emergency',
    title: 'Revocation unproven, a person must act',
    subject: ofSecret,
    facts: ({ requestId, owner, note }) => ({ request: requestId, owner, task: note }),
    incident: { act: 'opens', key: ofRevocation },
    runbook: 'revocation-unproven',
  },
  'Secret Revocation Failed': {
    urgency: 'emergency',
    title: ({ stage }) =>
      stage === 'approval'
        ? 'Revocation not approved, nothing was done'
        : 'Revocation failed, a leaked credential may still work',
    subject: ofSecret,
    facts: ({ requestId, stage, error }) => ({ request: requestId, stage, code: error.code }),
    incident: { act: 'opens', key: ofRevocation },
    runbook: 'revocation-failed',
  },
};
