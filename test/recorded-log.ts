import { S3Client } from '@aws-sdk/client-s3';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { S3AuditObjects } from '../adapters/operator/audit-objects.ts';
import { objectLines, parseLine } from '../core/audit/format.ts';
import { RecordedEvent } from '../core/audit/recorded-event.ts';
import { deploymentParameters, deploymentPath } from '../core/deployed/names.ts';
import type { CloudCredentials, LocalCloud } from '../local/emulator/cloud.ts';

/** One record of the audit log: its event, and the whole of it as JSON. */
export interface LogRecord {
  readonly event: RecordedEvent;
  readonly detailType: string;
  readonly text: string;
}

/** The records of an environment's audit log, each object read once: a process of the CLI for each look takes a second of a core. */
export class RecordedLog {
  readonly #objects: S3AuditObjects;
  readonly #all: LogRecord[] = [];
  #after = '';
  #reading: Promise<unknown> = Promise.resolve();

  private constructor(objects: S3AuditObjects) {
    this.#objects = objects;
  }

  /** Finds the log of an environment, as somebody who may read it. */
  static async of(
    cloud: LocalCloud,
    environment: string,
    credentials: CloudCredentials,
  ): Promise<RecordedLog> {
    const options = cloud.clientOptions(credentials);
    const Name = `${deploymentPath(environment)}/${deploymentParameters.auditBucket}`;
    const { Parameter } = await new SSMClient(options).send(new GetParameterCommand({ Name }));
    const client = new S3Client({ ...options, forcePathStyle: true });
    return new RecordedLog(new S3AuditObjects(client, Parameter?.Value ?? ''));
  }

  /** Reads on. One look at a time, so that each record is there once; `more` is what came since the last look. */
  read(): Promise<{ readonly all: readonly LogRecord[]; readonly more: readonly LogRecord[] }> {
    const read = this.#reading.then(() => this.#readOn());
    this.#reading = read.catch(() => undefined);
    return read;
  }

  async #readOn() {
    const known = this.#all.length;
    for (;;) {
      const page = await this.#objects.list(this.#after, 1_000);
      for (const { key } of page) {
        for (const line of objectLines(await this.#objects.read(key))) {
          const parsed = parseLine(line.bytes);
          if (parsed.kind !== 'intact') throw new Error(`${key} has a line that is not whole`);
          const event = new RecordedEvent(parsed.record.event);
          this.#all.push({ event, detailType: event.detailType, text: JSON.stringify(parsed.record) });
        }
        this.#after = key;
      }
      if (page.length < 1_000) return { all: [...this.#all], more: this.#all.slice(known) };
    }
  }
}
