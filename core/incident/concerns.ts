import type { AuditEvent } from '../audit/format.ts';
import { isRevocationToken } from '../deployed/revocation-token.ts';

/** Tells whether an event may belong to an incident. Of all rotations, those count that a revocation asked for. */
export function concernsIncidents({ detailType, detail }: AuditEvent): boolean {
  if (detailType.startsWith('Secret Rotation ')) {
    return isRevocationToken((Object(detail.data) as { versionId?: unknown }).versionId);
  }
  if (detailType === 'Request Attributed') {
    const { about, requestId } = Object(detail.data) as { about?: unknown; requestId?: unknown };
    return about !== 'Secret Rotation Started' || isRevocationToken(requestId);
  }
  return /^(?:Secret Revocation|Revocation|Credential Contained|Approval|Incident|Legal Hold|Principal Quarantine|Principal Quarantined)\b/.test(
    detailType,
  );
}
