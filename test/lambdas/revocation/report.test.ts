import { describe, expect, test } from '@jest/globals';
import { report } from '../../../lambdas/revocation/report.ts';
import { requestId, secretArn, World } from './world.ts';

describe('a report', () => {
  const state = (verified: object) => ({
    requestId,
    requestDigest: 'd',
    correlationId: 'c',
    secretArn,
    secretName: 'orders',
    mode: 'kill',
    named: false,
    versions: ['v1'],
    consumers: [],
    containmentFunction: 'containment',
    requestedAt: '2026-03-01T11:59:00.000Z',
    rotated: {
      newVersionId: 'new',
      rotatedAt: '2026-03-01T11:59:30.000Z',
      containmentFunction: 'containment',
      lookups: 1,
    },
    swept: { value: { containments: [] } },
    verified: {
      value: {
        verifications: [{ versionId: 'v1', identity: 'app', outcome: 'rejected' }],
        unavailableVersions: [],
        current: 'accepted',
        ...verified,
      },
    },
  });
  const reportOf = async (last: object) => {
    const world = new World();
    const result = await report(last, { bus: world.bus, origin: world.origin() });
    return { result, published: world.published(), data: world.bus.events[0]?.detail.data };
  };
  const reported = async (verified: object) => {
    const { result, published } = await reportOf(state(verified));
    return { outcome: result.outcome, published };
  };

  test('without a time of refusal is of no success, though the current credential works', async () => {
    expect(await reported({})).toEqual({ outcome: 'unproven', published: ['Secret Revocation Unproven'] });
  });

  test('with one is of none while nobody could be asked about the current credential', async () => {
    const refusedAt = '2026-03-01T11:59:31.000Z';
    expect(await reported({ refusedAt, current: 'unverifiable' })).toMatchObject({ outcome: 'unproven' });
    expect(await reported({ refusedAt })).toEqual({
      outcome: 'succeeded',
      published: ['Secret Revocation Succeeded'],
    });
  });

  const refusedAt = '2026-03-01T11:59:31.000Z';
  const cut = (sessionsEnded: number) => ({
    value: { containments: [{ versionIds: ['v1'], identity: 'app', loginsRefused: true, sessionsEnded }] },
  });

  test('holds what both containments did, and of one of them where there was one', async () => {
    const both = await reportOf({ ...state({ refusedAt }), contained: cut(3), swept: cut(2) });
    expect(both.result).toMatchObject({ outcome: 'succeeded', sessionsEnded: 5 });
    expect(both.data).toMatchObject({
      containments: [...cut(3).value.containments, ...cut(2).value.containments],
    });
    const { result, data } = await reportOf({ ...state({ refusedAt }), swept: cut(2) });
    expect(result).toMatchObject({ sessionsEnded: 2 });
    expect(data).toMatchObject({ containments: cut(2).value.containments });
  });

  test('counts the time from the request until the first refusal, which may be that of the first containment', async () => {
    const first = { value: { containments: [], refusedAt: '2026-03-01T11:59:10.000Z' } };
    expect((await reportOf({ ...state({ refusedAt }), contained: first })).result).toMatchObject({
      timeToRefusalMs: 10_000,
    });
    expect((await reportOf(state({ refusedAt }))).result).toMatchObject({ timeToRefusalMs: 31_000 });
    const late = { ...state({ refusedAt }), requestedAt: '2026-03-01T12:00:00.000Z' };
    expect((await reportOf(late)).result).toMatchObject({ timeToRefusalMs: 0 });
  });

  describe('of what is not proven says who decides, who reads it and whom it belongs to', () => {
    const leak = (versionId: string, note?: string) => ({
      versionId,
      identity: 'app',
      outcome: 'unverifiable',
      ...(note !== undefined && { note }),
    });
    test.each([
      [
        'nobody known',
        { verifications: [leak('v1')] },
        {},
        'nothing that Rekey can reach accepts or refuses it; no consumers are declared',
      ],
      [
        'each of them, once',
        {
          verifications: [leak('v1', 'the sidecar'), leak('v2'), leak('v3', 'the sidecar')],
          note: 'the gateway',
        },
        { consumers: ['api', 'jobs'], owner: 'team-orders' },
        'the sidecar; the gateway; consumers: api, jobs; owner: team-orders',
      ],
    ])('%s', async (_, verified, change, note) => {
      const last = { ...state({ current: 'unverifiable', ...verified }), ...change };
      const { result, data } = await reportOf(last);
      expect(result).toEqual({ outcome: 'unproven', newVersionId: 'new', sessionsEnded: 0, note });
      expect(data).toMatchObject({ note, consumers: [], ...change });
      expect(Object.hasOwn(data ?? {}, 'owner')).toBe('owner' in change);
    });
  });

  describe('of a failure names the step, and why it failed as far as that is known', () => {
    const { rotated, swept, verified, ...begun } = state({ refusedAt });
    const failed = (name: string, cause?: string) => ({
      Error: name,
      ...(cause !== undefined && { Cause: cause }),
    });
    const said = (text: string) => JSON.stringify({ errorType: 'x', errorMessage: text });
    const unnamed = 'the step ended with RotationDisabled; see its log';
    test.each<[string, object, string, string]>([
      ['nothing is known', begun, 'rotate', 'the step left no result; see the execution in Step Functions'],
      [
        'the rotation said why',
        { ...begun, rotateFailure: failed('RotationDisabled', said('is off')) },
        'rotate',
        'is off',
      ],
      [
        'the rotation had waited for its turn',
        {
          ...begun,
          rotated: { waitSeconds: 9, turnAt: '2026-03-01T11:59:30.000Z', lookups: 0 },
          rotateFailure: failed('RotationDisabled', said('is off')),
        },
        'rotate',
        'is off',
      ],
      ['it gave no cause', { ...begun, rotateFailure: failed('RotationDisabled') }, 'rotate', unnamed],
      [
        'its cause is no JSON',
        { ...begun, rotateFailure: failed('RotationDisabled', 'off') },
        'rotate',
        unnamed,
      ],
      [
        'its cause is of another form',
        { ...begun, rotateFailure: failed('RotationDisabled', '"off"') },
        'rotate',
        unnamed,
      ],
      [
        'the proof failed',
        { ...begun, rotated, swept, verifyFailure: failed('RevocationUnproven', said('it still works')) },
        'verify',
        'it still works',
      ],
      [
        'the function of the proof is gone',
        {
          ...begun,
          rotated,
          swept,
          verifyFailure: failed('Lambda.ResourceNotFoundException'),
          rotateFailure: failed('ContainmentFunctionMissing', said('bring the deploy to its end')),
        },
        'verify',
        'bring the deploy to its end',
      ],
      [
        'the last containment failed',
        { ...begun, rotated, verified, sweepFailure: failed('TargetUnreachable', said('no answer')) },
        'contain',
        'no answer',
      ],
    ])('%s', async (_, last, stage, message) => {
      const { result, published, data } = await reportOf(last);
      expect(published).toEqual(['Secret Revocation Failed']);
      expect(data).toMatchObject({ stage, error: { message } });
      expect(result).toMatchObject({ outcome: 'failed', stage, cause: `${stage}: ${message}` });
    });
  });
});
