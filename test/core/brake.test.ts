import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  afterFailure,
  afterSuccess,
  type BrakeRules,
  type BrakeState,
  beginRotation,
  parseBrakeState,
  release,
} from '../../core/brake.ts';
import { propertyRuns } from '../property-runs.ts';

const rules: BrakeRules = { functionName: 'rotation', code: 'code-1', after: 3, leaseMs: 60_000 };
const start = new Date('2030-01-01T00:00:00.000Z');
const later = (ms: number) => new Date(start.getTime() + ms);
const arn = (name: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;
const rotation = (name: string, token = `${name}-1`) => ({ secretArn: arn(name), token });
const proven: BrakeState = { code: 'code-1', functionName: 'rotation', proven: true, failed: [] };

const failing = (state: BrakeState | undefined, name: string, token?: string) =>
  afterFailure(state, rotation(name, token), { counts: true, rules, now: start });

describe('failures in a row', () => {
  test('of as many different secrets as it takes engage the brake; then none begins', () => {
    const one = failing(proven, 'a');
    const two = failing(one, 'b');
    expect(two).toMatchObject({ failed: ['a-AbCdEf', 'b-AbCdEf'] });
    expect(two).not.toHaveProperty('brakedAt');
    const three = failing(two, 'c');
    expect(three).toMatchObject({ brakedAt: start.toISOString() });
    expect(beginRotation(three, rotation('d'), rules, later(1))).toMatchObject({ may: 'not begin' });
    expect(beginRotation(three, rotation('d'), rules, later(365 * 86_400_000)).may).toBe('not begin');
  });

  test('of one secret count once, so one target that is broken stops no other secret', () => {
    let state: BrakeState | undefined = failing(proven, 'a');
    for (let again = 2; again < 100; again += 1) {
      expect(failing(state, 'a', `a-${again}`)).toBeUndefined();
    }
    expect(beginRotation(state, rotation('b'), rules, later(1)).may).toBe('begin');
    state = failing(state, 'b');
    expect(state).not.toHaveProperty('brakedAt');
  });

  test('end with a success; one that may pass by itself does not count', () => {
    const two = failing(failing(proven, 'a'), 'b');
    expect(afterSuccess(two, { ...rotation('c'), began: start }, rules)).toEqual(proven);
    const before = { ...rotation('c'), began: later(-1) };
    expect(afterSuccess(two, before, rules)).toBeUndefined();
    expect(afterSuccess(two, rotation('c'), rules)).toBeUndefined();
    const passing = { counts: false, rules, now: start };
    expect(afterFailure(two, rotation('c'), passing)).toBeUndefined();
  });

  test('a success that changes nothing is nothing to store, and lets go of no brake', () => {
    expect(afterSuccess(proven, rotation('a'), rules)).toBeUndefined();
    const braked = failing(failing(failing(proven, 'a'), 'b'), 'c');
    expect(afterSuccess(braked, { ...rotation('d'), began: later(1) }, rules)).toBeUndefined();
  });

  test('where no state is known there is none to change', () => {
    expect(failing(undefined, 'a')).toBeUndefined();
    expect(afterSuccess(undefined, rotation('a'), rules)).toBeUndefined();
  });

  test('of which nobody knows when they began end with any success', () => {
    expect(afterSuccess({ ...proven, failed: ['a-AbCdEf'] }, rotation('b'), rules)).toEqual(proven);
  });

  test('ten secrets with the longest names fit into a parameter', () => {
    const many = { ...rules, after: 10 };
    let state: BrakeState = proven;
    for (let index = 0; index < 10; index += 1) {
      const secret = { secretArn: `${arn('x'.repeat(506) + index)}`, token: '1' };
      state = afterFailure(state, secret, { counts: true, rules: many, now: start }) ?? state;
    }
    expect(state.failed).toHaveLength(10);
    expect(Buffer.byteLength(JSON.stringify(state))).toBeLessThanOrEqual(4096);
  });
});

describe('new code', () => {
  const canaryOf = (state: BrakeState | undefined, name: string, now = start) => {
    const verdict = beginRotation(state, rotation(name), rules, now);
    expect(verdict).toMatchObject({ may: 'begin', next: { proven: false, canary: { token: `${name}-1` } } });
    return verdict.next as BrakeState;
  };

  test.each([
    ['of a function that is new', undefined],
    ['after a deploy', { ...proven, code: 'code-0' }],
    ['after a deploy that follows an engaged brake', { ...proven, code: 'code-0', brakedAt: 'x' }],
    ['after a person let go of the brake', release({ ...proven, brakedAt: 'x', failed: ['a', 'b', 'c'] })],
  ])('%s lets one rotation through; the others wait until it has succeeded', (_name, state) => {
    const running = canaryOf(state, 'a');
    expect(beginRotation(running, rotation('b'), rules, later(1))).toMatchObject({ may: 'wait' });
    expect(beginRotation(running, rotation('a'), rules, later(1))).toEqual({ may: 'begin' });
    const done = afterSuccess(running, rotation('a'), rules);
    expect(done).toEqual(proven);
    expect(beginRotation(done, rotation('b'), rules, later(2))).toEqual({ may: 'begin' });
  });

  test('a canary that fails leaves its turn to the next one, whether its failure counts or not', () => {
    const running = canaryOf(undefined, 'a');
    const passed = afterFailure(running, rotation('a'), { counts: false, rules, now: start });
    expect(passed).toMatchObject({ failed: [] });
    canaryOf(passed, 'b');
    const failed = failing(running, 'a');
    expect(failed).toMatchObject({ failed: ['a-AbCdEf'] });
    canaryOf(failed, 'b');
  });

  test('a canary that is tried again after its time has not failed, and is the canary again', () => {
    expect(canaryOf(canaryOf(undefined, 'a'), 'a', later(60_000))).toMatchObject({ failed: [] });
  });

  test('a failure beside the canary leaves it its turn', () => {
    const running = canaryOf(undefined, 'a');
    expect(failing(running, 'b')).toMatchObject({ failed: ['b-AbCdEf'], canary: { token: 'a-1' } });
  });

  test('canaries of as many secrets as it takes, failing or vanishing, engage the brake', () => {
    const second = canaryOf(failing(canaryOf(undefined, 'a'), 'a'), 'b');
    const third = canaryOf(second, 'c', later(60_000));
    expect(third).toMatchObject({ failed: ['a-AbCdEf', 'b-AbCdEf'] });
    const verdict = beginRotation(third, rotation('d'), rules, later(120_000));
    expect(verdict).toMatchObject({ may: 'not begin', next: { brakedAt: later(120_000).toISOString() } });
  });

  test('neither a failure nor a success of other code changes anything', () => {
    const other = { ...proven, code: 'code-0', failed: ['x'] };
    expect(failing(other, 'a')).toBeUndefined();
    expect(afterSuccess(other, rotation('a'), rules)).toBeUndefined();
  });

  test('a success of another rotation than the canary proves nothing', () => {
    const running = canaryOf(failing(canaryOf(undefined, 'a'), 'a'), 'b');
    expect(afterSuccess(running, rotation('z'), rules)).toBeUndefined();
  });
});

test('who lets go of the brake forgets who failed, and nothing is proven', () => {
  const state = release({ ...proven, failed: ['a', 'b', 'c'], brakedAt: 'x', failedSince: 'y' });
  expect(state).toStrictEqual({ code: 'code-1', functionName: 'rotation', proven: false, failed: [] });
});

test('who lets go of the brake while a canary runs has no second one begin beside it', () => {
  const canary = { secret: 'a-AbCdEf', token: 'a-1', until: later(60_000).toISOString() };
  const state = release({ ...proven, proven: false, canary, failed: ['b', 'c', 'd'], brakedAt: 'x' });
  expect(beginRotation(state, rotation('e'), rules, start)).toMatchObject({ may: 'wait' });
  expect(afterSuccess(state, rotation('a'), rules)).toEqual(proven);
});

test.each(['', 'null', '{}', '{"code":1}', 'not JSON', '{"code":"c","proven":true}'])(
  'what is no state, %j, counts as none',
  (text) => expect(parseBrakeState(text)).toBeUndefined(),
);

test('what is stored is read again as it was', () => {
  const state = failing(failing(failing(proven, 'a'), 'b'), 'c');
  expect(parseBrakeState(JSON.stringify(state))).toEqual(state);
});

/** One thing that happens; which rotation it happens to is drawn from those that there are. */
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('look' as const), secret: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('begin' as const), which: fc.nat() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('succeed' as const, 'fail' as const, 'pass' as const, 'crash' as const),
      which: fc.nat(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 90_000 }) }),
  },
  fc.record({ kind: fc.constantFrom('deploy' as const, 'release' as const) }),
);

test('in every order of looks, writes, ends, crashes, deploys and releases: one canary at a time, and never for ever', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 120 }), (happenings) => {
      let now = start.getTime();
      let code = 'code-0';
      let [version, state] = [0, undefined as BrakeState | undefined];
      let serial = 0;
      // Looks whose write is still to come, and rotations under way; a canary knows until when it is one.
      type Look = { secretArn: string; token: string; version: number; state: BrakeState | undefined };
      const looks: Look[] = [];
      const running: { secretArn: string; token: string; code: string; began: Date; canaryUntil?: number }[] =
        [];
      const current = (): BrakeRules => ({ ...rules, code });
      const put = (next: BrakeState | undefined) => {
        if (next === undefined) return;
        [version, state] = [version + 1, next];
        // A brake is engaged by several secrets, never by one.
        if (next.brakedAt !== undefined)
          expect(new Set(next.failed).size).toBeGreaterThanOrEqual(rules.after);
      };
      for (const one of happenings) {
        switch (one.kind) {
          case 'look':
            serial += 1;
            looks.push({ ...rotation(`s${one.secret}`, `t${serial}`), version, state });
            break;
          case 'begin': {
            const [look] = looks.splice(one.which % (looks.length || 1), 1);
            if (look === undefined) break;
            const verdict = beginRotation(look.state, look, current(), new Date(now));
            // Compare and swap: what was written since the look has the look repeated.
            if (verdict.next !== undefined && look.version !== version) {
              looks.push({ ...look, version, state });
              break;
            }
            put(verdict.next);
            if (verdict.may !== 'begin') break;
            const { secretArn, token } = look;
            const until = verdict.next && now + rules.leaseMs;
            running.push({
              secretArn,
              token,
              code,
              began: new Date(now),
              ...(until !== undefined && { canaryUntil: until }),
            });
            break;
          }
          case 'time':
            now += one.ms;
            break;
          case 'deploy':
            serial += 1;
            code = `code-${serial}`;
            looks.length = 0;
            break;
          case 'release':
            if (state?.brakedAt !== undefined) put(release(state));
            break;
          default: {
            const [ended] = running.splice(one.which % (running.length || 1), 1);
            if (ended === undefined || one.kind === 'crash') break;
            const how = { counts: one.kind === 'fail', rules: current(), now: new Date(now) };
            put(
              one.kind === 'succeed'
                ? afterSuccess(state, ended, current())
                : afterFailure(state, ended, how),
            );
          }
        }
        const canaries = running.filter(
          (each) => each.code === code && each.canaryUntil !== undefined && each.canaryUntil > now,
        );
        expect(canaries.length).toBeLessThanOrEqual(1);
      }
      // Nobody does anything any more: after one lease the next one begins, or the brake says that it does not.
      const after = new Date(now + rules.leaseMs);
      const verdict = beginRotation(state, rotation('next'), current(), after);
      expect(verdict.may).not.toBe('wait');
      if (verdict.may === 'not begin') {
        expect(verdict.state.failed.length).toBeGreaterThanOrEqual(rules.after);
        expect(beginRotation(release(verdict.state), rotation('next'), current(), after).may).toBe('begin');
        expect(
          beginRotation(verdict.state, rotation('next'), { ...current(), code: 'other' }, after).may,
        ).toBe('begin');
      }
    }),
    { numRuns: propertyRuns(2_000) },
  );
});
