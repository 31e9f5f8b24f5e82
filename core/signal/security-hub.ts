import * as z from 'zod';
import {
  evidenceOf,
  idOf,
  keysOf,
  linkOf,
  parsedSignal,
  type Reading,
  type Signal,
  type SignalSeverity,
  type Subject,
  someTime,
  timeOf,
} from './signal.ts';

const findingSchema = z.object({
  Id: z.string().min(1).max(2_048),
  ProductArn: z.string().max(2_048),
  Title: z.string().max(1_024).optional(),
  Types: z.array(z.string().max(256)).max(50).default([]),
  Severity: z.object({ Label: z.string().optional() }).optional(),
  UpdatedAt: someTime,
  SourceUrl: z.string().nullish(),
  RecordState: z.string().optional(),
  Workflow: z.object({ Status: z.string().optional() }).optional(),
  Resources: z
    .array(
      z.object({
        Type: z.string().max(256),
        Id: z.string().max(2_048),
        Details: z
          .object({ AwsIamAccessKey: z.object({ AccessKeyId: z.string().max(128).optional() }).optional() })
          .optional(),
      }),
    )
    .max(50)
    .default([]),
});
type Finding = z.output<typeof findingSchema>;

const schema = z.object({
  source: z.literal('aws.securityhub'),
  time: z.string(),
  detail: z.object({ findings: z.array(findingSchema).min(1).max(100) }),
});

/**
 * Beginnings of the types that tell of an incident. Checks of settings, such as a secret that does not rotate, are none.
 * @see https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html
 */
const incidents = ['TTPs/', 'Effects/', 'Unusual Behaviors/', 'Sensitive Data Identifications/'];

const severities: Readonly<Record<string, SignalSeverity>> = {
  CRITICAL: 'critical',
  HIGH: 'high',
  MEDIUM: 'medium',
};

/**
 * Reads findings that Security Hub has imported, in its format ASFF: those about access keys and secrets. GuardDuty's own are
 * left to GuardDuty, so that none counts twice.
 * @throws RekeyError `SignalMalformed`
 * @see https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html
 */
export function readSecurityHub(event: unknown): Reading {
  const { detail, time } = parsedSignal('securityhub', schema, event);
  const signals = detail.findings.flatMap((finding) => signalOf(finding, time));
  return signals.length > 0
    ? { signals }
    : { ignored: 'no finding is a new one about an access key or a secret in the wrong hands' };
}

function signalOf(finding: Finding, time: string): readonly Signal[] {
  const { Id, ProductArn, Title, Types, Severity, UpdatedAt, SourceUrl, Resources } = finding;
  const isOpen =
    finding.RecordState !== 'ARCHIVED' && ['NEW', 'NOTIFIED'].includes(finding.Workflow?.Status ?? 'NEW');
  if (!isOpen || ProductArn.endsWith('product/aws/guardduty')) return [];
  const type = Types.find((one) => incidents.some((beginning) => one.startsWith(beginning)));
  const subjects = Resources.flatMap(subjectsOf);
  if (type === undefined || subjects.length === 0) return [];
  const url = linkOf(SourceUrl);
  return [
    {
      kind: 'securityhub',
      id: idOf(Id),
      time: timeOf(UpdatedAt) ?? timeOf(time) ?? time,
      severity: severities[Severity?.Label ?? ''] ?? 'low',
      subjects,
      ...(url !== undefined && { url }),
      evidence: evidenceOf(type, Title, ProductArn.split('product/')[1]),
    },
  ];
}

function subjectsOf({ Type, Id, Details }: Finding['Resources'][number]): readonly Subject[] {
  if (Type === 'AwsSecretsManagerSecret') return [{ secret: Id }];
  if (Type !== 'AwsIamAccessKey') return [];
  // Products write the id into the details, or make the id of the resource of it.
  return keysOf([Details?.AwsIamAccessKey?.AccessKeyId, Id.split(/[:/]/).at(-1)]);
}
