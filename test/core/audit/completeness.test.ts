import { describe, expect, test } from '@jest/globals';
import { verifyLog } from '../../../core/audit/verify.ts';
import { lifecycle, logOf, start } from './sample.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:a-AbCdEf';
const rotation = (kind: 'Started' | 'Succeeded' | 'Failed' | 'Abandoned', versionId = 'v1') =>
  lifecycle(`Secret Rotation ${kind}`, { secretArn: arn, versionId }, `${kind} ${versionId}`);
const requested = lifecycle('Secret Revocation Requested', { select: { secret: arn } }, 'r1');
const revocation = (kind: 'Rejected' | 'Started' | 'Succeeded' | 'Unproven' | 'Failed') =>
  lifecycle(`Secret Revocation ${kind}`, { requestId: 'r1', secretArn: arn }, `${kind} r1`);

/** A revocation of several secrets, and that of one secret of it, which nobody asked for by itself. */
const planOf = (kind: 'Planned' | 'Concluded') =>
  lifecycle(`Revocation ${kind}`, { requestId: 'r1' }, `${kind} r1`);
const part = (kind: 'Started' | 'Succeeded' | 'Failed') =>
  lifecycle(`Secret Revocation ${kind}`, { requestId: 'p1', partOf: 'r1', secretArn: arn }, `${kind} p1`);

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
    [
      'one of several secrets',
      [requested, planOf('Planned'), part('Started'), part('Succeeded'), planOf('Concluded')],
    ],
    [
      'one of several secrets, backwards',
      [planOf('Concluded'), part('Failed'), part('Started'), planOf('Planned'), requested],
    ],
    ['one of several secrets that was rejected', [requested, revocation('Rejected')]],
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
    ['a plan without conclusion', [requested, planOf('Planned')], 'RevocationIncomplete'],
    ['a plan that nobody asked for', [planOf('Planned'), planOf('Concluded')], 'RevocationUnannounced'],
    [
      'a secret of a plan without outcome',
      [requested, planOf('Planned'), part('Started'), planOf('Concluded')],
      'RevocationIncomplete',
    ],
    [
      'one whose id was rejected a second time',
      [requested, revocation('Started'), revocation('Rejected')],
      'RevocationIncomplete',
    ],
    [
      'a rotation that begins once more after it failed and then succeeded',
      [rotation('Started'), rotation('Failed'), rotation('Succeeded'), rotation('Started')],
      'RotationIncomplete',
    ],
    ['an outcome without request', [revocation('Started'), revocation('Succeeded')], 'RevocationUnannounced'],
    ['an outcome without beginning', [requested, revocation('Succeeded')], 'RevocationUnannounced'],
  ])('%s is named', async (_, events, code) => {
    const { problems, intact } = await verify(events);
    expect(problems.map((problem) => problem.code)).toEqual([code]);
    expect(intact).toBe(false);
  });

  test('a revocation that began and was neither requested nor ended lacks both', async () => {
    const { problems } = await verify([revocation('Started')]);
    expect(problems.map(({ code, message }) => [code, message])).toEqual([
      ['RevocationIncomplete', 'the revocation r1 began in record 1 and has no outcome'],
      ['RevocationUnannounced', 'the revocation r1 stands in record 1, its request is not recorded'],
    ]);
  });

  test('a revocation that ended is named once, with all that is not recorded before it', async () => {
    const { problems } = await verify([revocation('Succeeded')]);
    expect(problems.map(({ message }) => message)).toEqual([
      'the revocation r1 stands in record 1, its request and its beginning is not recorded',
    ]);
  });

  test.each([
    ['succeeded', [rotation('Started'), rotation('Succeeded')], { succeeded: 1, failed: 0, open: 0 }],
    ['failed', [rotation('Started'), rotation('Failed')], { succeeded: 0, failed: 1, open: 0 }],
    [
      'failed and succeeded later',
      [rotation('Started'), rotation('Failed'), rotation('Succeeded')],
      { succeeded: 1, failed: 1, open: 0 },
    ],
    ['was given up', [rotation('Started'), rotation('Abandoned')], { succeeded: 0, failed: 0, open: 0 }],
    [
      'failed and was given up',
      [rotation('Started'), rotation('Failed'), rotation('Abandoned')],
      { succeeded: 0, failed: 1, open: 0 },
    ],
    ['has no outcome', [rotation('Started')], { succeeded: 0, failed: 0, open: 1 }],
  ])('a rotation that %s is counted as that', async (_, events, rotations) => {
    expect(await verify(events)).toMatchObject({ rotations });
  });

  const none = { succeeded: 0, unproven: 0, failed: 0, rejected: 0, open: 0 };
  test.each([
    ['succeeded', [requested, revocation('Started'), revocation('Succeeded')], { ...none, succeeded: 1 }],
    [
      'ended without proof',
      [requested, revocation('Started'), revocation('Unproven')],
      { ...none, unproven: 1 },
    ],
    ['failed', [requested, revocation('Started'), revocation('Failed')], { ...none, failed: 1 }],
    ['was rejected', [requested, revocation('Rejected')], { ...none, rejected: 1 }],
    [
      'began and was asked for in vain once more',
      [requested, revocation('Started'), revocation('Rejected')],
      { ...none, rejected: 1, open: 1 },
    ],
    ['was asked for', [requested], { ...none, open: 1 }],
  ])('a revocation that %s is counted as that', async (_, events, revocations) => {
    expect(await verify(events)).toMatchObject({ revocations });
  });

  test('within the grace period what has begun may be open, and a beginning may still be delivered', async () => {
    const events = [rotation('Started'), rotation('Succeeded', 'v2'), requested];
    const hour = 3_600_000;
    for (const passed of [60_000, hour]) {
      const report = await verify(events, new Date(start + passed));
      expect(report).toMatchObject({ intact: true, rotations: { open: 1 }, revocations: { open: 1 } });
    }
    const { problems } = await verify(events, new Date(start + hour + 1));
    expect(problems.map(({ code }) => code)).toEqual([
      'RotationIncomplete',
      'RotationUnannounced',
      'RevocationIncomplete',
    ]);
  });
});
