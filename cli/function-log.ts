import { errorOfLine, logLine, rejectionIn } from '../core/deployed/intake-log.ts';
import type { ReportedError } from '../core/errors/rekey-error.ts';
import type { Cloud } from '../core/operator-ports.ts';
import type { SecretDefinition } from '../core/secret/definition.ts';
import { CliError } from './errors.ts';

/** A step of a rotation that failed, and why. */
export interface RotationFailure extends ReportedError {
  readonly step: string;
}

/** Difference that is allowed between the clocks here and in AWS, which refuses requests that are minutes off. */
const clockSkewMs = 15 * 60_000;

/**
 * The lines that the rotation function of a secret logged about one version. Operators may read this log, whose lines hold
 * names, codes and reasons; the audit log is for auditors.
 */
export class RotationLog {
  readonly #find: (text: string, since: Date) => Promise<readonly string[]>;
  readonly #known = new Set<string>();

  private constructor(find: (text: string, since: Date) => Promise<readonly string[]>) {
    this.#find = find;
  }

  /**
   * Opens the log of a secret's rotation function.
   * @throws when the function's configuration or its log is not readable, or not there
   */
  static async open(cloud: Cloud, { rotationFunction }: SecretDefinition): Promise<RotationLog> {
    const [functions, logs] = await Promise.all([cloud.functions(), cloud.logs()]);
    const state = await functions.inspect(rotationFunction);
    if (state === undefined) {
      throw new CliError(
        3,
        'FunctionMissing',
        `there is no function ${rotationFunction}; deploy the environment again`,
      );
    }
    return new RotationLog((text, since) => logs.find(state.logGroup, text, since));
  }

  /**
   * Leaves aside what was logged up to now, about a version whose rotation is tried again.
   * @throws when the log is not readable
   */
  async skip(versionId: string | undefined, now: Date): Promise<void> {
    const since = versionId === undefined ? now : new Date(now.getTime() - clockSkewMs);
    for (const text of await this.#find(versionId ?? 'failed', since)) {
      this.#known.add(text);
    }
  }

  /** Finds the last failure that was not skipped. The lines of a version tell it apart, whatever the clocks say. */
  async failure(versionId: string, begun: Date): Promise<RotationFailure | undefined> {
    const lines = await this.#find(versionId, new Date(begun.getTime() - clockSkewMs));
    return lines
      .filter((text) => !this.#known.has(text))
      .map((text) => failureOf(text, versionId))
      .findLast((found) => found !== undefined);
  }

  /** Finds the failure, if it is the last line: Secrets Manager may have tried the version again since. */
  async standing(versionId: string, begun: Date): Promise<RotationFailure | undefined> {
    const lines = await this.#find(versionId, new Date(begun.getTime() - clockSkewMs));
    // The runtime's own line about the error may name the version as well, in its text.
    const last = lines.findLast((text) => logLine(text)?.versionId === versionId);
    return last === undefined ? undefined : failureOf(last, versionId);
  }
}

function failureOf(text: string, versionId: string): RotationFailure | undefined {
  const line = logLine(text);
  const error = line?.message === 'failed' && line.versionId === versionId ? errorOfLine(line) : undefined;
  return error && typeof line?.step === 'string' ? { step: line.step, ...error } : undefined;
}

/** Finds the reason why the intake rejected a request; undefined while its log holds none. */
export async function rejectionOf(
  cloud: Cloud,
  logGroup: string,
  requestId: string,
  requestedAt: Date,
): Promise<ReportedError | undefined> {
  const logs = await cloud.logs();
  const lines = await logs.find(logGroup, requestId, new Date(requestedAt.getTime() - clockSkewMs));
  return rejectionIn(lines, requestId);
}

/** Finds the answer of the function that quarantines principals; undefined while its log holds none. */
export async function quarantineAnswer(
  cloud: Cloud,
  logGroup: string,
  requestId: string,
  requestedAt: Date,
): Promise<{ readonly outcome: string; readonly error?: ReportedError } | undefined> {
  const logs = await cloud.logs();
  const lines = (await logs.find(logGroup, requestId, new Date(requestedAt.getTime() - clockSkewMs)))
    .map(logLine)
    .filter((line) => line?.requestId === requestId);
  const refused = lines.find((line) => line?.message === 'quarantine request refused');
  const error = refused && errorOfLine(refused);
  if (error !== undefined) return { outcome: 'refused', error };
  const done = lines.find((line) => line?.message === 'quarantine request done');
  return typeof done?.outcome === 'string' ? { outcome: done.outcome } : undefined;
}
