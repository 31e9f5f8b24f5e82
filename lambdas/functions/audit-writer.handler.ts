import { S3Client } from '@aws-sdk/client-s3';
import type { SQSEvent } from 'aws-lambda';
import { S3AuditStore } from '../../adapters/audit-store.ts';
import { systemClock } from '../../adapters/system.ts';
import { auditWriterEnvironmentSchema, readEnvironment } from '../../core/deployed/variables.ts';
import { recordBatch } from '../audit/batch.ts';
import { AuditWriter } from '../audit/writer.ts';
import { standardHandler } from './standard-handler.ts';

const { REKEY_AUDIT_BUCKET } = readEnvironment(auditWriterEnvironmentSchema);
const writer = new AuditWriter({
  store: new S3AuditStore(new S3Client({}), REKEY_AUDIT_BUCKET),
  clock: systemClock,
});

/** Writes a batch of the audit queue into the bucket. */
export const handler = standardHandler<SQSEvent, void>((event, tools) =>
  recordBatch(event, { writer, clock: systemClock }, tools),
);
