import type { IncidentCourse } from '../core/incident/incident-course.ts';
import type { SecretCourse } from '../core/incident/secret-course.ts';
import type { Entry } from '../core/incident/timeline.ts';

const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | undefined): string | null => (ms === undefined ? null : iso(ms));

/** Writes an incident for a list of them. */
export const summaryDocument = (incident: IncidentCourse) => {
  const { id, state, underWay, drill, names, requests, reasons, requestedAt, lastAt, closedAt, times } =
    incident;
  return {
    id,
    state,
    underWay,
    drill,
    names,
    requests,
    reasons,
    requestedAt: iso(requestedAt),
    lastAt: iso(lastAt),
    closedAt: isoOrNull(closedAt),
    containMs: times.contain ?? null,
    rotateMs: times.rotate ?? null,
    proveMs: times.prove ?? null,
    secrets: incident.secrets.length,
    proven: incident.secrets.filter(({ state: of }) => of === 'revoked').length,
    open: incident.open,
  };
};

const secretDocument = (secret: SecretCourse) => {
  const { requestedAt, takenAt, containedAt, rotatedAt, provenAt, endedAt, ...rest } = secret;
  return {
    ...rest,
    requestedAt: iso(requestedAt),
    takenAt: isoOrNull(takenAt),
    containedAt: isoOrNull(containedAt),
    rotatedAt: isoOrNull(rotatedAt),
    provenAt: isoOrNull(provenAt),
    endedAt: isoOrNull(endedAt),
  };
};

const entryDocument = ({ at, ...entry }: Entry) => ({ at: iso(at), ...entry });

/** Writes one incident as a document, without its timeline. */
export const incidentDocument = (incident: IncidentCourse, environment: string | null) => ({
  environment,
  ...summaryDocument(incident),
  correlations: incident.correlations,
  plans: incident.plans.map(({ requestedAt, takenAt, concludedAt, ...plan }) => ({
    ...plan,
    requestedAt: iso(requestedAt),
    takenAt: isoOrNull(takenAt),
    concludedAt: isoOrNull(concludedAt),
  })),
  secrets: incident.secrets.map(secretDocument),
  tasks: incident.tasks.map(({ openedAt, doneAt, ...task }) => ({
    ...task,
    openedAt: isoOrNull(openedAt),
    doneAt: isoOrNull(doneAt),
  })),
  quarantines: incident.quarantines.map(({ requestedAt, placedAt, liftedAt, ...quarantine }) => ({
    ...quarantine,
    requestedAt: iso(requestedAt),
    placedAt: isoOrNull(placedAt),
    liftedAt: isoOrNull(liftedAt),
  })),
  elsewhere: incident.elsewhere.map(({ secrets, ...part }) => ({
    ...part,
    secrets: secrets.map(({ refusedAt, ...secret }) => ({ ...secret, refusedAt: isoOrNull(refusedAt) })),
  })),
  people: incident.people.map(entryDocument),
  records: incident.sequences,
});

/** Writes the timeline of an incident as a document. */
export const timelineDocument = (incident: IncidentCourse, environment: string | null) => ({
  environment,
  id: incident.id,
  state: incident.state,
  entries: incident.timeline.map(entryDocument),
});
