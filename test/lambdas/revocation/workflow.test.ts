import { describe, expect, test } from '@jest/globals';
import { revocationToken } from '../../../core/deployed/revocation-token.ts';
import type { AnyEvent, EventData } from '../../../core/events/catalogue.ts';
import { detailSchema } from '../../../core/events/catalogue.ts';
import { takeRequest } from '../../../lambdas/revocation/intake.ts';
import { report } from '../../../lambdas/revocation/report.ts';
import { revoke } from './revoke.ts';
import { requestEvent, requestId, secretArn, World } from './world.ts';

const find = <T extends AnyEvent['detailType']>(world: World, detailType: T): EventData<T> | undefined =>
  world.bus.events.find((event) => event.detailType === detailType)?.detail.data as EventData<T> | undefined;
const newVersion = revocationToken(requestId, secretArn);

describe('a revocation', () => {
  test('kill: cut off, rotate, cut off again, prove, report', async () => {
    const world = new World();
    const execution = await revoke(world);
    expect(execution.status).toBe('SUCCEEDED');
    expect(execution.path).toEqual([
      'Which first?',
      'Contain at once',
      'Rotate',
      'Contain',
      'Verify',
      'Report',
      'Proven?',
      'Revoked',
    ]);
    expect(world.target.accepts({ username: 'app', password: 'leaked-password' })).toBe(false);
    expect(world.store.peek(secretArn, 'AWSCURRENT')?.versionId).toBe(newVersion);
    // What the workflow ends with, for whoever follows it.
    expect(execution.history.at(-1)).toEqual({
      outcome: 'succeeded',
      timeToRefusalMs: 510,
      newVersionId: newVersion,
      sessionsEnded: 2,
    });
    expect(find(world, 'Secret Revocation Succeeded')).toEqual({
      requestId,
      secretArn,
      secretName: 'orders',
      newVersionId: newVersion,
      containments: [
        { versionIds: ['v1'], identity: 'app', loginsRefused: true, sessionsEnded: 2 },
        { versionIds: ['v1'], identity: 'app', loginsRefused: true, sessionsEnded: 0 },
      ],
      verifications: [{ versionId: 'v1', identity: 'app', outcome: 'rejected' }],
      requestedAt: '2026-03-01T11:59:59.500Z',
      // Right after the first cut-off, before the rotation.
      refusedAt: '2026-03-01T12:00:00.010Z',
      completedAt: '2026-03-01T12:00:00.230Z',
    });
  });

  test('replace: rotate first, so that the login never stands without a working credential', async () => {
    const world = new World();
    const execution = await revoke(world, { mode: 'replace' });
    expect(execution.status).toBe('SUCCEEDED');
    expect(execution.path.slice(0, 3)).toEqual(['Which first?', 'Rotate', 'Contain']);
    expect(world.published().filter((type) => type === 'Credential Contained')).toHaveLength(1);
  });

  test('a deploy that replaces the containment function in the middle is followed', async () => {
    for (const before of ['contain', 'verify'] as const) {
      const world = new World();
      let calls = 0;
      const { status, path } = await revoke(world, {}, () => {
        calls += 1;
        // After the first cut-off, or after the second one: the next call finds the former function gone.
        if (calls === (before === 'contain' ? 1 : 2)) {
          world.definition = { ...world.definition, containmentFunction: 'containment-of-the-deploy' };
        }
      });
      expect(status).toBe('SUCCEEDED');
      expect(path.filter((state) => state === 'Rotate')).toHaveLength(before === 'contain' ? 1 : 2);
      expect(world.rotations).toEqual([newVersion]);
      expect(find(world, 'Secret Revocation Succeeded')?.verifications).toMatchObject([
        { outcome: 'rejected' },
      ]);
    }
  });

  test('a function that stays gone ends the revocation as failed, with what to do', async () => {
    const world = new World();
    const { status, path } = await revoke(world, {}, () => {
      world.containmentGone = true;
    });
    expect(status).toBe('FAILED');
    expect(path.filter((state) => state === 'Rotate')).toHaveLength(6);
    expect(find(world, 'Secret Revocation Failed')?.error).toMatchObject({
      code: 'ContainmentFunctionMissing',
      message: expect.stringContaining('bring the deploy to its end'),
    });
  });

  test('every event fits the catalogue, and neither events nor the state hold a value', async () => {
    const world = new World('s3ntinel-value');
    world.target.unreachable = 2;
    const { history } = await revoke(world);
    for (const event of world.bus.events) {
      expect(detailSchema(event.detailType).safeParse(event.detail).error).toBeUndefined();
    }
    const kept = JSON.stringify([history, world.bus.events]);
    expect(kept).toContain(newVersion);
    for (const value of world.store.values(secretArn)) {
      expect(kept).not.toContain(JSON.parse(value).password);
    }
  });

  test('a first cut-off that fails holds nothing up, and the second one makes up for it', async () => {
    const world = new World();
    // The first try and its two retries.
    world.target.unreachable = 3;
    const { status, path } = await revoke(world);
    expect(status).toBe('SUCCEEDED');
    expect(path).toContain('Rotate');
    const contained = world.bus.events.filter(({ detailType }) => detailType === 'Credential Contained');
    expect(contained.map(({ detail }) => detail.data)).toEqual([
      expect.objectContaining({
        containments: [
          expect.objectContaining({
            loginsRefused: false,
            note: expect.stringContaining('TargetUnreachable'),
          }),
        ],
      }),
      expect.objectContaining({}),
      expect.objectContaining({}),
      expect.objectContaining({ containments: [expect.objectContaining({ loginsRefused: true })] }),
    ]);
  });

  test('sessions that could not be ended are no success, even when the login is refused', async () => {
    const world = new World();
    const contain = world.rotator.contain;
    world.rotator.contain = async (leaked, context) => {
      if (context.rotatedAt !== undefined) {
        throw Object.assign(new Error('may not end sessions'), { name: 'PermissionMissing' });
      }
      return contain(leaked, context);
    };
    const { status } = await revoke(world);
    expect(status).toBe('FAILED');
    expect(find(world, 'Secret Revocation Failed')).toMatchObject({ requestId, stage: 'contain' });
  });

  test('a rotation that fails for good ends in a failure that says so', async () => {
    const world = new World();
    world.rotationFailures = 1000;
    const { status, path } = await revoke(world);
    expect(status).toBe('FAILED');
    expect(path.slice(-4)).toEqual(['Rotate', 'Report', 'Proven?', 'Not revoked']);
    expect(find(world, 'Secret Revocation Failed')).toMatchObject({
      stage: 'rotate',
      error: { code: 'RotationPending', message: expect.stringContaining(newVersion) },
    });
    // Cut off all the same.
    expect(world.target.accepts({ username: 'app', password: 'leaked-password' })).toBe(false);
  });

  test('a rotation function that fails a few times is asked again, for the same version', async () => {
    const world = new World();
    world.rotationFailures = 2;
    expect((await revoke(world)).status).toBe('SUCCEEDED');
    expect(world.rotations).toEqual([newVersion]);
  });

  test('a leaked credential that still works is a failure, whatever the target said before', async () => {
    const world = new World();
    const probe = world.rotator.probe;
    world.rotator.probe = async (credential, context) =>
      credential.password === 'leaked-password' ? { outcome: 'accepted' } : probe(credential, context);
    expect((await revoke(world)).status).toBe('FAILED');
    expect(find(world, 'Secret Revocation Failed')).toMatchObject({
      stage: 'verify',
      error: { code: 'RevocationUnproven', message: expect.stringContaining('still accepts') },
    });
    expect(find(world, 'Secret Revocation Succeeded')).toBeUndefined();
  });

  test('what nobody can be asked about ends as replaced, never as a success', async () => {
    const world = new World();
    world.target.nobody = 'the consumers that share it decide';
    world.definition.consumers.push('orders-api');
    const { status, path, history } = await revoke(world);
    expect(status).toBe('SUCCEEDED');
    expect(path.slice(-3)).toEqual(['Report', 'Proven?', 'Replaced, not proven']);
    const note = 'the consumers that share it decide; consumers: orders-api; owner: team-orders';
    expect(history.at(-1)).toEqual({
      outcome: 'unproven',
      newVersionId: newVersion,
      sessionsEnded: 0,
      note,
    });
    expect(find(world, 'Secret Revocation Succeeded')).toBeUndefined();
    expect(find(world, 'Secret Revocation Failed')).toBeUndefined();
    const unproven = find(world, 'Secret Revocation Unproven');
    expect(unproven).toMatchObject({
      newVersionId: newVersion,
      verifications: [{ versionId: 'v1', outcome: 'unverifiable' }],
      current: 'unverifiable',
      note,
      consumers: ['orders-api'],
      owner: 'team-orders',
    });
    expect(unproven).not.toHaveProperty('refusedAt');
    for (const event of world.bus.events) {
      expect(detailSchema(event.detailType).safeParse(event.detail).error).toBeUndefined();
    }
  });

  test('a leak that is refused is no success as long as the new credential could not be tried', async () => {
    const world = new World();
    const probe = world.rotator.probe;
    world.rotator.probe = async (credential, context) =>
      credential.password === 'leaked-password'
        ? probe(credential, context)
        : { outcome: 'unverifiable', note: 'nobody can say' };
    const { history } = await revoke(world);
    expect(history.at(-1)).toMatchObject({ outcome: 'unproven' });
    expect(find(world, 'Secret Revocation Unproven')).toMatchObject({
      verifications: [{ outcome: 'rejected' }],
      current: 'unverifiable',
    });
  });

  test('an unfinished rotation is brought to its end, and its version is replaced as well', async () => {
    const world = new World();
    world.store.begin(secretArn, 'leftover');
    await world.store.putPending(
      secretArn,
      'leftover',
      JSON.stringify({ username: 'app', password: 'leftover-pw' }),
    );
    expect((await revoke(world)).status).toBe('SUCCEEDED');
    expect(world.store.peek(secretArn, 'AWSCURRENT')?.versionId).toBe(newVersion);
    expect(
      find(world, 'Secret Revocation Succeeded')
        ?.verifications.map(({ versionId }) => versionId)
        .sort(),
    ).toEqual(['leftover', 'v1']);
  });

  test('named versions: only these are proven, and one that is gone is no proof', async () => {
    const world = new World();
    world.store.begin(secretArn, 'v2');
    await world.runRotation(secretArn, 'v2');
    const { status } = await revoke(world, { versions: ['v1'] });
    expect(status).toBe('SUCCEEDED');
    expect(find(world, 'Secret Revocation Succeeded')?.verifications).toEqual([
      { versionId: 'v1', identity: 'app', outcome: 'rejected' },
    ]);
    const other = new World();
    expect((await revoke(other, { versions: ['v1', 'gone'] })).status).toBe('FAILED');
    expect(find(other, 'Secret Revocation Failed')?.error.message).toContain('gone');
  });

  test('a version that holds no credential is listed, and does not keep all versions from being revoked', async () => {
    const world = new World();
    world.store.begin(secretArn, 'odd');
    await world.store.putPending(secretArn, 'odd', 'not json');
    world.store.removePending(secretArn);
    expect((await revoke(world)).status).toBe('SUCCEEDED');
    expect(find(world, 'Secret Revocation Succeeded')?.unavailableVersions).toEqual(['odd']);
  });

  test('an execution that timed out is reported as failed', async () => {
    const world = new World();
    let started = '';
    const starter = {
      start: async (_: string, input: string) => {
        started = input;
        return 'started' as const;
      },
    };
    await takeRequest(requestEvent(), world.intake({ starter }));
    const event = {
      source: 'aws.states',
      'detail-type': 'Step Functions Execution Status Change',
      detail: { status: 'TIMED_OUT', input: started },
    };
    const result = await report(event, { bus: world.bus, origin: world.origin() });
    expect(result).toMatchObject({ outcome: 'failed', stage: 'workflow' });
    expect(find(world, 'Secret Revocation Failed')).toMatchObject({ requestId, stage: 'workflow' });
  });

  test.each([
    ['a code says whether it is retried', 'RotationDisabled', 'is off', 'RotationDisabled', false, 'is off'],
    ['and so does one that passes', 'TargetTimeout', 'is slow', 'TargetTimeout', true, 'is slow'],
    [
      'a name of Step Functions is none',
      'States.Timeout',
      'hunter2',
      'FunctionFailed',
      true,
      'States.Timeout',
    ],
    ['nor is that of an error at the start', 'SyntaxError', 'hunter2', 'FunctionFailed', true, 'SyntaxError'],
  ])('the record of a failure: %s', async (_, name, text, code, retryable, message) => {
    const world = new World();
    let started = '{}';
    const starter = {
      start: async (_: string, input: string) => {
        started = input;
        return 'started' as const;
      },
    };
    await takeRequest(requestEvent(), world.intake({ starter }));
    const rotateFailure = { Error: name, Cause: JSON.stringify({ errorType: name, errorMessage: text }) };
    await report({ ...JSON.parse(started), rotateFailure }, { bus: world.bus, origin: world.origin() });
    const error = find(world, 'Secret Revocation Failed')?.error;
    expect(error).toEqual({ code, retryable, message: expect.stringContaining(message) });
    expect(error?.message).not.toContain('hunter2');
  });
});
