import { expect, test } from '@jest/globals';
import { createEvent } from '../../../core/events/create.ts';
import { readOccasion } from '../../../lambdas/fingerprint/index-event.ts';

const secretArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/prod/orders-AbCdEf';
const origin = {
  source: 'rekey.rotation',
  environment: 'prod',
  actor: 'lambda:rotation',
  clock: { now: () => new Date('2026-03-01T00:00:00Z') },
  random: { bytes: (length: number) => new Uint8Array(length), integer: () => 0 },
} as const;
const subject = {
  secretArn,
  secretName: '/prod/orders',
  secretType: 'postgresql',
  strategy: 'single-user',
  versionId: 'v2',
} as const;

test('a rotation that succeeded names the version that must be current, one that failed names none', () => {
  const delivered = ({ detailType, ...event }: { detailType: string }) => ({
    'detail-type': detailType,
    ...event,
  });
  const links = { correlationId: 'v2' };
  const succeeded = createEvent(origin, 'Secret Rotation Succeeded', subject, links);
  expect(readOccasion(delivered(succeeded))).toEqual({ kind: 'rotation', secretArn, current: 'v2' });
  const error = { code: 'TargetTimeout', message: 'late', retryable: true };
  const failed = createEvent(
    origin,
    'Secret Rotation Failed',
    { ...subject, step: 'setSecret', error },
    links,
  );
  expect(readOccasion(delivered(failed))).toEqual({ kind: 'rotation', secretArn });
});

const request = {
  ResponseURL: 'https://example.com/answer',
  StackId: 'stack',
  RequestId: 'request',
  LogicalResourceId: 'Backfill',
  ResourceProperties: { Secrets: 'digest' },
};

test('a deploy is answered before the sweep, and a deletion without one', () => {
  const same = { Status: 'SUCCESS', StackId: 'stack', RequestId: 'request', LogicalResourceId: 'Backfill' };
  expect(readOccasion({ ...request, RequestType: 'Create' })).toEqual({
    kind: 'deploy',
    responseUrl: request.ResponseURL,
    answer: { ...same, PhysicalResourceId: 'fingerprints' },
    sweeps: true,
  });
  for (const [RequestType, sweeps] of [
    ['Update', true],
    ['Delete', false],
  ] as const) {
    expect(readOccasion({ ...request, RequestType, PhysicalResourceId: 'kept' })).toMatchObject({
      answer: { ...same, PhysicalResourceId: 'kept' },
      sweeps,
    });
  }
});

test('the schedule asks for a sweep', () => {
  const event = { 'detail-type': 'Scheduled Event', source: 'aws.events', detail: {} };
  expect(readOccasion(event)).toEqual({ kind: 'schedule' });
});

test.each([
  undefined,
  {},
  { 'detail-type': 'Secret Rotation Started', detail: { data: { secretArn, versionId: 'v2' } } },
  { 'detail-type': 'Secret Rotation Succeeded', detail: { data: { secretArn: 's3cret/value' } } },
  { ...request, RequestType: 'Create', ResponseURL: 's3cret/value' },
])('%j is refused, and nothing of it is repeated', (event) => {
  let thrown: unknown;
  try {
    readOccasion(event);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: 'FunctionMisconfigured' });
  expect(String(thrown)).not.toContain('s3cret');
});
