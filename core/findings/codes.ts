import { shortened } from '../errors/rekey-error.ts';

/** Degrees of how soon a person should look at a finding. */
export const severities = ['low', 'medium', 'high'] as const;
export type Severity = (typeof severities)[number];

/**
 * Every code of a finding with its severity. Functions carry only this; what each code means and what to do stands in
 * `catalogue.ts`.
 */
const findingSeverities = {
  AbandonedCredentialRemains: 'medium',
  AccountNotRotated: 'medium',
  AdminCredentialEnds: 'medium',
  AdminSecretUnread: 'medium',
  AttributeNotCopied: 'medium',
  BrakeUnreachable: 'low',
  ChangeNotPersisted: 'high',
  CredentialLeftBehind: 'medium',
  CurrentCredentialRefused: 'medium',
  DefaultRoleNotCopied: 'medium',
  DefinitionNotFollowed: 'medium',
  DefinitionNotNoted: 'low',
  DefinitionUnread: 'medium',
  GrantNotCopied: 'low',
  GrantsDiffer: 'high',
  KeyStateUnread: 'medium',
  LoginRestored: 'low',
  ObjectsNotShared: 'medium',
  OrphanedKeyRemoved: 'low',
  OverlapNotEnded: 'medium',
  PasswordlessLogin: 'high',
  PlaintextConnection: 'high',
  PreviousCredentialRemains: 'high',
  ReplicaOutdated: 'high',
  ReplicasUnchanged: 'high',
  ReplicationLoginChanged: 'high',
  SettingNotCopied: 'medium',
  SpareKeyRemoved: 'low',
} as const satisfies Readonly<Record<string, Severity>>;

export type FindingCode = keyof typeof findingSeverities;

/** A fact that a person should look at; the work itself goes on. */
export interface Finding {
  readonly code: FindingCode;
  /** Names the thing and what to do, never a secret. */
  readonly message: string;
}

/** Says how soon a person should look at it. */
export const severityOf = (code: FindingCode): Severity => findingSeverities[code];

/** Makes the data of the event `Finding Raised`. */
export const findingData = (secretArn: string, { code, message }: Finding) => ({
  secretArn,
  code,
  severity: severityOf(code),
  message: shortened(message),
});
