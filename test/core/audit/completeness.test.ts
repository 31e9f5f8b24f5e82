import { describe, expect, test } from '@jest/globals';
import { verifyLog } from '../../../core/audit/verify.ts';
import { lifecycle, logOf, start } from './sample.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:a-AbCdEf';
const rotation = (kind: 'Started' | 'Succeeded' | 'Failed' | 'Abandoned', versionId = 'v1') =>
  lifecycle(`Secret Rotation ${kind}`, { secretArn: arn, versionId }, `${kind} ${versionId}`);
const requested = lifecycle('Secret Revocation Requested', { select: { secret: arn } }, 'r1');
const revocation = (kind: 'Rejected' | 'Started' | 'Succeeded' | 'Unproven' | 'Failed') =>
  lifecycle(`Secret Revocation ${kind}`, { requestId: 'r1', secretArn: arn }, `${kind} r1`);

const later = new Date(start + 2 * 3_600_000);
const verify = (events: readonly ReturnType<typeof rotation>[], now = later) =>
  verifyLog(logOf(events), { now });

describe('completeness', () => {
  test.each([
    ['a rotation that succeeded', [rotation('Started'), rotation('Succeeded')]],
    ['a rotation that failed', [rotation('Started'), rotation('Failed')]],
    ['one that failed and was retried', [rotation('Started'), rotation('Failed'), rotation('Succeeded')]],
    ['one that was given up', [rotation('Started'), rotation('Abandoned')]],
    ['one that failed and was given up', [rotation('Started'), rotation('Failed'), rotation('Abandoned')]],
    ['one that failed before it began', [rotation('Failed')]],
    ['one whose success was delivered first', [rotation('Succeeded'), rotation('Started')]],
    ['a rejected request', [requested, revocation('Rejected')]],
    ['the rejection of a malformed request', [revocation('Rejected')]],
    ['a revocation that succeeded', [requested, revocation('Started'), revocation('Succeeded')]],
    ['a revocation without proof', [requested, revocation('Started'), revocation('Unproven')]],
    ['one delivered backwards', [revocation('Failed'), revocation('Started'), requested]],
  ])('%s is complete', async (_, events) => {
    expect((await verify(events)).problems).toEqual([]);
  });

  test.each([
    ['a rotation without outcome', [rotation('Started')], 'RotationIncomplete'],
    ['a success without beginning', [rotation('Succeeded')], 'RotationUnannounced'],
    [
      'another version succeeded',
      [rotation('Started'), rotation('Started', 'v2'), rotation('Succeeded', 'v2')],
      'RotationIncomplete',
    ],
    ['a request without outcome', [requested], 'RevocationIncomplete'],
    ['a revocation without outcome', [requested, revocation('Started')], 'RevocationIncomplete'],
    [
      'one whose id was rejected a second time',
      [requested, revocation('Started'), revocation('Rejected')],
      'RevocationIncomplete',
    ],
    ['an outcome without request', [revocation('Started'), revocation('Succeeded')], 'RevocationUnannounced'],
    ['an outcome without beginning', [requested, revocation('Succeeded')], 'RevocationUnannounced'],
  ])('%s is named', async (_, events, code) => {
    const { problems, intact } = await verify(events);
    expect(problems.map((problem) => problem.code)).toEqual([code]);
    expect(intact).toBe(false);
  });

  test('a revocation without proof is counted as that', async () => {
    const report = await verify([requested, revocation('Started'), revocation('Unproven')]);
    expect(report.revocations).toEqual({ succeeded: 0, unproven: 1, failed: 0, rejected: 0, open: 0 });
  });

  test('within the grace period what has begun may be open', async () => {
    const report = await verify([rotation('Started'), requested], new Date(start + 60_000));
    expect(report).toMatchObject({ intact: true, rotations: { open: 1 }, revocations: { open: 1 } });
  });
});
