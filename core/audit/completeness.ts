import type { EventData } from '../events/catalogue.ts';
import type { AuditEvent } from './format.ts';
import type { Problems } from './problems.ts';

interface Open {
  sequence: number;
  since: number;
  what: string;
}

interface Revocation extends Open {
  requested: boolean;
  rejected: boolean;
  started: boolean;
  ended: boolean;
}

/** Ends that a revocation may have. */
const ends = {
  'Secret Revocation Succeeded': 'succeeded',
  'Secret Revocation Unproven': 'unproven',
  'Secret Revocation Failed': 'failed',
} as const;

/** The numbers of what was begun, by how it ended. */
export interface Outcomes {
  readonly succeeded: number;
  readonly failed: number;
  /** Number of those that began, have not ended, and are still within the grace period. */
  readonly open: number;
}

/** The numbers of revocations, by how they ended. */
export interface RevocationOutcomes extends Outcomes {
  /**
   * Revocations that replaced the credential and could try nothing. A person has seen to it that everybody refuses the leaked
   * credential, or must.
   */
  readonly unproven: number;
  readonly rejected: number;
}

/**
 * Checks that what was begun has an outcome and what ended was begun. EventBridge does not promise an order, so an
 * outcome may be recorded before the beginning; what is still unmatched at the end counts. Memory grows with the
 * rotations and revocations that are unmatched or failed, and with the number of revocations.
 */
export class Completeness {
  readonly #started = new Map<string, Open>();
  readonly #failed = new Set<string>();
  readonly #succeededEarly = new Map<string, Open>();
  readonly #revocations = new Map<string, Revocation>();
  readonly #rotations = { succeeded: 0, failed: 0 };
  readonly #revoked = { succeeded: 0, unproven: 0, failed: 0, rejected: 0 };

  /**
   * Takes note of a record.
   * @param recordedAt - when the writer recorded it: the time of an event is what its sender says
   */
  take(sequence: number, event: AuditEvent, recordedAt: string): void {
    const since = Date.parse(recordedAt);
    switch (event.detailType) {
      case 'Secret Rotation Started':
      case 'Secret Rotation Succeeded':
      case 'Secret Rotation Failed':
      case 'Secret Rotation Abandoned':
        this.#takeRotation(sequence, since, event);
        break;
      case 'Secret Revocation Requested': {
        const { id } = event.detail.metadata as { id: string };
        this.#revocation(id, sequence, since).requested = true;
        break;
      }
      case 'Secret Revocation Rejected': {
        const { requestId } = event.detail.data as EventData<'Secret Revocation Rejected'>;
        const revocation = this.#revocation(requestId, sequence, since);
        // A malformed request is recorded as an unrecognised event: its rejection stands alone.
        revocation.rejected = true;
        this.#revoked.rejected += 1;
        break;
      }
      case 'Secret Revocation Started': {
        const { requestId, partOf } = event.detail.data as EventData<'Secret Revocation Started'>;
        const revocation = this.#revocation(requestId, sequence, since);
        revocation.started = true;
        // One of a plan was asked for by the request of the plan.
        if (partOf !== undefined) revocation.requested = true;
        break;
      }
      case 'Revocation Planned': {
        const { requestId } = event.detail.data as EventData<'Revocation Planned'>;
        this.#revocation(requestId, sequence, since).started = true;
        break;
      }
      case 'Revocation Concluded': {
        // The revocations of its secrets are counted, each by its own end.
        const { requestId } = event.detail.data as EventData<'Revocation Concluded'>;
        this.#revocation(requestId, sequence, since).ended = true;
        break;
      }
      case 'Secret Revocation Succeeded':
      case 'Secret Revocation Unproven':
      case 'Secret Revocation Failed': {
        const { requestId } = event.detail.data as EventData<'Secret Revocation Failed'>;
        this.#revocation(requestId, sequence, since).ended = true;
        this.#revoked[ends[event.detailType]] += 1;
        break;
      }
    }
  }

  /**
   * Gives the outcomes, and names what has none. Call it after the last record. What began less than `graceMs` before `now` may
   * still be under way.
   */
  end(
    problems: Problems,
    now: Date,
    graceMs: number,
  ): { rotations: Outcomes; revocations: RevocationOutcomes } {
    const overdue = ({ since }: Open) => now.getTime() - since > graceMs;
    for (const { sequence, what } of [...this.#started.values()].filter(overdue)) {
      problems.add({
        code: 'RotationIncomplete',
        message: `${what} began in record ${sequence} and has no outcome`,
        sequence,
      });
    }
    for (const { sequence, what } of [...this.#succeededEarly.values()].filter(overdue)) {
      problems.add({
        code: 'RotationUnannounced',
        message: `${what} succeeded in record ${sequence}, its beginning is not recorded`,
        sequence,
      });
    }
    const revocations = [...this.#revocations.values()];
    for (const revocation of revocations.filter(overdue)) {
      this.#judge(revocation, problems);
    }
    return {
      rotations: { ...this.#rotations, open: this.#started.size },
      revocations: {
        ...this.#revoked,
        open: revocations.filter(({ rejected, started, ended }) => !ended && (started || !rejected)).length,
      },
    };
  }

  #judge({ sequence, what, requested, rejected, started, ended }: Revocation, problems: Problems): void {
    // A second request under the same id may have been rejected while the first one was under way.
    if (!ended && (started || !rejected)) {
      const stage = started ? 'began' : 'was requested';
      problems.add({
        code: 'RevocationIncomplete',
        message: `${what} ${stage} in record ${sequence} and has no outcome`,
        sequence,
      });
    }
    const missing = [
      ...(requested || !(started || ended) ? [] : ['request']),
      ...(started || !ended ? [] : ['beginning']),
    ];
    if (missing.length > 0) {
      problems.add({
        code: 'RevocationUnannounced',
        message: `${what} stands in record ${sequence}, its ${missing.join(' and its ')} is not recorded`,
        sequence,
      });
    }
  }

  #takeRotation(sequence: number, since: number, event: AuditEvent): void {
    const { secretArn, versionId } = event.detail.data as EventData<'Secret Rotation Started'>;
    const key = `${secretArn}\n${versionId}`;
    const open = { sequence, since, what: `the rotation of ${secretArn} to version ${versionId}` };
    if (event.detailType === 'Secret Rotation Started') {
      if (!this.#succeededEarly.delete(key) && !this.#failed.has(key)) {
        this.#started.set(key, open);
      }
      return;
    }
    const begun = this.#started.delete(key) || this.#failed.has(key);
    if (event.detailType === 'Secret Rotation Abandoned') {
      // Nobody waits for the outcome of a rotation that was given up; a failure of it has been counted.
      return;
    }
    if (event.detailType === 'Secret Rotation Failed') {
      this.#rotations.failed += 1;
      this.#failed.add(key);
      return;
    }
    this.#rotations.succeeded += 1;
    this.#failed.delete(key);
    if (!begun) {
      this.#succeededEarly.set(key, open);
    }
  }

  #revocation(requestId: string, sequence: number, since: number): Revocation {
    const known = this.#revocations.get(requestId);
    if (known) {
      return known;
    }
    const revocation: Revocation = {
      sequence,
      since,
      what: `the revocation ${requestId}`,
      requested: false,
      rejected: false,
      started: false,
      ended: false,
    };
    this.#revocations.set(requestId, revocation);
    return revocation;
  }
}
