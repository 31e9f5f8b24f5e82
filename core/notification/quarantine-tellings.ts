import type { EventData } from '../events/catalogue.ts';
import type { Telling } from './telling.ts';

type QuarantineEvent =
  | 'Principal Quarantine Requested'
  | 'Principal Quarantine Lift Requested'
  | 'Principal Quarantined'
  | 'Principal Quarantine Lifted'
  | 'Principal Quarantine Refused';

const ofPrincipal = ({ principal }: { readonly principal: string }): string => principal;
const keyOf = ({ principal }: { readonly principal: string }): string => `quarantine:${principal}`;
const scopeWords: Readonly<Record<EventData<'Principal Quarantined'>['scope'], string>> = {
  sessions: 'sessions that began before',
  all: 'all, until it is lifted',
};

/** The way in which each event of a quarantine is told. */
export const quarantineTellings: { readonly [T in QuarantineEvent]: Telling<T> } = {
  'Principal Quarantine Requested': {
    urgency: 'information',
    title: 'Quarantine asked for',
    subject: ofPrincipal,
    facts: ({ scope, reason }) => ({ denies: scopeWords[scope], reason }),
  },
  'Principal Quarantine Lift Requested': {
    urgency: 'information',
    title: 'End of a quarantine asked for',
    subject: ofPrincipal,
    facts: ({ quarantineId, reason }) => ({ quarantine: quarantineId, reason }),
  },
  'Principal Quarantined': {
    urgency: 'warning',
    title: 'Principal quarantined',
    subject: ofPrincipal,
    facts: ({ requestId, scope, before, reason }) => ({
      request: requestId,
      denies: scopeWords[scope],
      before,
      reason,
    }),
    incident: { act: 'opens', key: keyOf },
  },
  'Principal Quarantine Lifted': {
    urgency: 'information',
    title: 'Quarantine lifted',
    subject: ofPrincipal,
    facts: ({ quarantineId, reason }) => ({ quarantine: quarantineId, reason }),
    incident: { act: 'resolves', key: keyOf },
  },
  'Principal Quarantine Refused': {
    urgency: 'emergency',
    title: 'Quarantine refused, nothing was changed',
    subject: ({ principal, requestId }) => principal ?? requestId,
    facts: ({ requestId, error }) => ({ request: requestId, code: error.code, reason: error.message }),
    incident: { act: 'tells', key: ({ requestId }) => `quarantine-refused:${requestId}` },
    runbook: 'quarantine-refused',
  },
};
