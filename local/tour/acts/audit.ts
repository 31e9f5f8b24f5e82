import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { deploymentParameters, deploymentPath } from '../../../core/deployed/names.ts';
import { environmentName, type LocalDeployment } from '../deployment.ts';
import type { Act } from './act.ts';

const administrator = ({ cloud, credentials }: LocalDeployment) =>
  new S3Client({ ...cloud.clientOptions(credentials.administrator), forcePathStyle: true });

async function auditBucket({ cloud, credentials }: LocalDeployment): Promise<string> {
  const ssm = new SSMClient(cloud.clientOptions(credentials.auditor));
  const Name = `${deploymentPath(environmentName)}/${deploymentParameters.auditBucket}`;
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name }));
  assert.ok(Parameter?.Value, `${Name} must name the bucket`);
  return Parameter.Value;
}

/** Shows that an administrator who tampers with a record is refused at every try. */
export const tampering: Act = async (deployment, note) => {
  const s3 = administrator(deployment);
  const Bucket = await auditBucket(deployment);
  const { Contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket, Prefix: 'entries/', MaxKeys: 1 }),
  );
  const Key = Contents[0]?.Key;
  assert.ok(Key, 'the audit log must hold a record by now');
  const { VersionId, Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const original = await Body?.transformToString();
  assert.ok(VersionId, 'the bucket must keep versions');
  const past = new Date(Date.now() + 1_000);
  const attempts: [string, () => Promise<unknown>][] = [
    ['overwrite it', () => s3.send(new PutObjectCommand({ Bucket, Key, Body: 'nothing happened' }))],
    ['delete its version', () => s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }))],
    [
      'delete its version with bypass of governance',
      () => s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention: true })),
    ],
    [
      'shorten its retention',
      () =>
        s3.send(
          new PutObjectRetentionCommand({
            Bucket,
            Key,
            VersionId,
            Retention: { Mode: 'COMPLIANCE', RetainUntilDate: past },
          }),
        ),
    ],
  ];
  for (const [attempt, action] of attempts) {
    const refusal = await action().then(
      () => undefined,
      (error: Error) => error.name,
    );
    assert.ok(refusal !== undefined, `an administrator could ${attempt}`);
    assert.equal(refusal, 'AccessDenied', `${attempt}: refused, but with ${refusal}`);
    note(`${attempt}: ${refusal}`);
  }
  const now = await s3.send(new GetObjectCommand({ Bucket, Key }));
  assert.equal(await now.Body?.transformToString(), original, 'the record must be what it was');
  return [
    { what: 'administrator tampers with a record', result: `${attempts.length} attempts, all refused` },
  ];
};

/** Shows that the log is complete and intact, and that one altered record of a copy is caught and named. */
export const verification: Act = async (deployment, note) => {
  const live = await deployment.rekey('auditor', 'audit', 'verify');
  assert.equal(
    live.exitCode,
    0,
    `rekey audit verify ended with ${live.exitCode}:\n${live.stdout}${live.stderr}`,
  );
  note(live.stdout.trim().split('\n').at(-1) ?? '');

  const copy = join(deployment.cloud.directory, 'audit-copy');
  const records = await copyLog(deployment, copy);
  const same = await deployment.rekey('auditor', 'audit', 'verify', '--from', copy);
  assert.equal(same.exitCode, 0, `the untouched copy must verify:\n${same.stdout}${same.stderr}`);

  const entries = (await readdir(join(copy, 'entries'))).sort();
  const name = entries[Math.floor(entries.length / 2)] ?? '';
  const file = join(copy, 'entries', name);
  const text = await readFile(file, 'utf8');
  const sequence = Number(/"sequence":(\d+)/.exec(text)?.[1]);
  const altered = text.replace('"environment":"dev"', '"environment":"prd"');
  assert.notEqual(altered, text);
  await writeFile(file, altered);
  const caught = await deployment.rekey('auditor', 'audit', 'verify', '--from', copy);
  assert.equal(caught.exitCode, 1, `an altered record must be found:\n${caught.stdout}${caught.stderr}`);
  const named = caught.stdout
    .split('\n')
    .find((line) => new RegExp(`\\b${sequence}\\b`).test(line) && /alter/i.test(line));
  assert.ok(named !== undefined, `record ${sequence} must be named:\n${caught.stdout}`);
  note(named.trim());
  return [
    { what: 'rekey audit verify', result: `${records} records, all there and intact` },
    { what: 'the same on a copy with one record altered', result: `names record ${sequence}` },
  ];
};

async function copyLog(deployment: LocalDeployment, directory: string): Promise<number> {
  const s3 = administrator(deployment);
  const Bucket = await auditBucket(deployment);
  await rm(directory, { recursive: true, force: true });
  let records = 0;
  let token: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket, ...(token && { ContinuationToken: token }) }),
    );
    for (const { Key = '' } of page.Contents ?? []) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      const text = (await Body?.transformToString()) ?? '';
      records += text.trimEnd().split('\n').length;
      await mkdir(dirname(join(directory, Key)), { recursive: true });
      await writeFile(join(directory, Key), text);
    }
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return records;
}
