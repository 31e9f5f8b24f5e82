import * as z from 'zod';
import {
  evidenceOf,
  idOf,
  keysOf,
  linkOf,
  parsedSignal,
  type Reading,
  type SignalSeverity,
  timeOf,
} from './signal.ts';

/**
 * Types of GuardDuty's findings that say of an access key that somebody else uses it. Left out are those that tell of settings
 * (`Policy:`, `Stealth:`) or of looking around (`Discovery:`), since they say little of who has the key.
 * @see https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html
 */
export const guardDutyTypes: readonly string[] = [
  'CredentialAccess:IAMUser/AnomalousBehavior',
  'CredentialAccess:IAMUser/CompromisedCredentials',
  'DefenseEvasion:IAMUser/AnomalousBehavior',
  'Exfiltration:IAMUser/AnomalousBehavior',
  'Impact:IAMUser/AnomalousBehavior',
  'InitialAccess:IAMUser/AnomalousBehavior',
  'PenTest:IAMUser/KaliLinux',
  'PenTest:IAMUser/ParrotLinux',
  'PenTest:IAMUser/PentooLinux',
  'Persistence:IAMUser/AnomalousBehavior',
  'PrivilegeEscalation:IAMUser/AnomalousBehavior',
  'Recon:IAMUser/MaliciousIPCaller',
  'Recon:IAMUser/MaliciousIPCaller.Custom',
  'Recon:IAMUser/TorIPCaller',
  'UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS',
  'UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS',
  'UnauthorizedAccess:IAMUser/MaliciousIPCaller',
  'UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom',
  'UnauthorizedAccess:IAMUser/TorIPCaller',
];

const schema = z.object({
  source: z.literal('aws.guardduty'),
  detail: z.object({
    id: z.string().min(1).max(128),
    type: z.string().min(1).max(128),
    region: z.string().max(64),
    severity: z.number(),
    createdAt: z.string(),
    updatedAt: z.string().optional(),
    resource: z.object({
      accessKeyDetails: z
        .object({ accessKeyId: z.string().max(128), userName: z.string().max(256).optional() })
        .optional(),
    }),
  }),
});

/** Ranks a number of GuardDuty. @see https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html */
const severityOf = (value: number): SignalSeverity =>
  value >= 9 ? 'critical' : value >= 7 ? 'high' : value >= 4 ? 'medium' : 'low';

/**
 * Reads a finding of GuardDuty. It tells the same finding again when it has seen more of it; the id stays.
 * @throws RekeyError `SignalMalformed`
 * @see https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-format.html
 */
export function readGuardDuty(event: unknown): Reading {
  const { detail } = parsedSignal('guardduty', schema, event);
  const { id, type, region, severity, createdAt, updatedAt, resource } = detail;
  if (!guardDutyTypes.includes(type)) return { ignored: `${type} does not say that somebody else has a key` };
  const { accessKeyId, userName } = resource.accessKeyDetails ?? {};
  const url = linkOf(`https://${region}.console.aws.amazon.com/guardduty/home`);
  return {
    signals: [
      {
        kind: 'guardduty',
        id: idOf(id),
        time: timeOf(updatedAt) ?? timeOf(createdAt) ?? createdAt,
        severity: severityOf(severity),
        subjects: keysOf([accessKeyId]),
        ...(url !== undefined && { url }),
        evidence: evidenceOf(type, accessKeyId, userName === undefined ? undefined : `user ${userName}`),
      },
    ],
  };
}
