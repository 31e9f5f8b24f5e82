import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { TargetError, type TargetErrorCode } from '../../../../core/errors/rekey-error.ts';
import { InvalidState } from '../../../../rotators/families/aws-api/errors.ts';
import {
  bringAbout,
  type Resource,
  settled,
  type Worth,
  worthOf,
} from '../../../../rotators/families/aws-api/reset.ts';

/** A resource in such a state; a change is under way while it is `modifying`. */
const at = (status: string, changing = status === 'modifying'): Resource => ({
  what: 'DB instance "orders"',
  status,
  changing,
});

/** The answers of an API and a server, one after the other; the last one for good. */
interface Script {
  readonly looks?: readonly (string | Resource | Error)[];
  readonly logins?: readonly Worth[];
  readonly asks?: readonly (string | Error)[];
  readonly blind?: boolean;
  /** Seconds from the begin to the giving up. */
  readonly seconds?: number;
  /** Time that goes by before each look, in milliseconds; by default a second. */
  readonly lookMs?: number;
}

const pace = { budgetMs: 0, pollMs: 3, settleMs: 10_000 };
const invalidState = new InvalidState('RDS: cannot modify it now (InvalidDBInstanceState)');

let clock = 0;
beforeEach(() => {
  clock = Date.parse('2026-03-01T12:00:00Z');
  jest.spyOn(Date, 'now').mockImplementation(() => clock);
});
afterEach(() => {
  jest.restoreAllMocks();
});

const count = (happened: readonly string[], what: string) => happened.filter((one) => one === what).length;

/** Changes a password so and tells what happened. */
async function change(begin: Resource, { looks = [], logins = [], asks = [], ...how }: Script) {
  const happened: string[] = [];
  const answer = <Answer>(what: string, answers: readonly Answer[]): Answer | undefined => {
    const before = count(happened, what);
    happened.push(what);
    if (happened.length > 200) throw new Error(`there is no end of ${happened.slice(-4).join(', ')}`);
    return answers[Math.min(before, answers.length - 1)];
  };
  const state = (given: string | Resource | Error): Resource => {
    if (given instanceof Error) throw given;
    return typeof given === 'string' ? at(given) : given;
  };
  let fault: unknown;
  await bringAbout(begin, {
    doing: 'the reset of its password',
    deadline: clock + (how.seconds ?? 100) * 1_000,
    pace,
    blind: how.blind ?? false,
    look: async () => {
      clock += how.lookMs ?? 1_000;
      return state(answer('look', looks) ?? 'available');
    },
    ask: async () => state(answer('ask', asks) ?? 'modifying'),
    login: async () => answer('login', logins) ?? 'accepted',
  }).catch((error: unknown) => {
    fault = error;
  });
  return { happened, fault };
}

const unreachable = new TargetError('TargetUnreachable', 'no answer from the database');

describe('a password is changed', () => {
  test('by asking for it, and no login is tried before', async () => {
    expect(await change(at('available'), { looks: ['modifying', 'modifying', 'available'] })).toEqual({
      happened: ['ask', 'look', 'look', 'look', 'login'],
      fault: undefined,
    });
  });

  test('without asking, where a change that is under way has done it', async () => {
    expect(await change(at('modifying'), {})).toEqual({ happened: ['look', 'login'], fault: undefined });
  });

  test('by asking after a change that is under way and sets another password', async () => {
    expect(await change(at('modifying'), { logins: ['refused', 'accepted'] })).toEqual({
      happened: ['look', 'login', 'ask', 'look', 'login'],
      fault: undefined,
    });
  });

  test('although the server still takes the old one for a while after the API has shown the change', async () => {
    const logins: readonly Worth[] = [...Array<Worth>(9).fill('refused'), 'accepted'];
    const { happened, fault } = await change(at('available'), { logins });
    expect({ logins: count(happened, 'login'), asks: count(happened, 'ask'), fault }).toEqual({
      logins: 10,
      asks: 1,
      fault: undefined,
    });
  });
});

describe('where no login can be tried', () => {
  test('the end of the change that the API shows is the proof', async () => {
    expect(await change(at('available'), { logins: ['unknown'] })).toEqual({
      happened: ['ask', 'look', 'login'],
      fault: undefined,
    });
  });

  test('a change that the API never shows is taken for made when it has had time', async () => {
    const { happened, fault } = await change(at('available'), { asks: ['available'], logins: ['unknown'] });
    expect({ looks: count(happened, 'look'), fault }).toEqual({ looks: 10, fault: undefined });
  });

  test('the end of an earlier change proves nothing of the one that was asked for', async () => {
    const script = { asks: ['available'], logins: ['unknown'] as const };
    const { happened, fault } = await change(at('modifying'), script);
    expect({ looks: count(happened, 'look'), asks: count(happened, 'ask'), fault }).toEqual({
      looks: 11,
      asks: 1,
      fault: undefined,
    });
  });
});

describe('where the server cannot be reached', () => {
  test("the API's word is taken by who said so", async () => {
    const { happened, fault } = await change(at('available'), { logins: [unreachable], blind: true });
    expect({ happened, fault }).toEqual({ happened: ['ask', 'look', 'login'], fault: undefined });
  });

  test('a refusal is one for them, too', async () => {
    const { fault } = await change(at('available'), { logins: ['refused'], blind: true });
    expect(fault).toMatchObject({ message: expect.stringContaining('another change came in between') });
  });

  test('it is tried until time runs out, and then the reason is told', async () => {
    const { happened, fault } = await change(at('available'), { logins: [unreachable], seconds: 20 });
    expect({ logins: count(happened, 'login'), fault }).toEqual({ logins: 20, fault: unreachable });
  });

  test('it is tried less often after half a minute', async () => {
    // Eight milliseconds are left, which is less than three pauses.
    const script = { logins: [unreachable], seconds: 0.008, lookMs: 0 };
    const { happened, fault } = await change(at('available'), script);
    expect({ logins: count(happened, 'login'), fault }).toEqual({ logins: 11, fault: unreachable });
  });

  test('and the reason is forgotten once the server has answered', async () => {
    const logins = [unreachable, 'refused'] as const;
    const { fault } = await change(at('available'), { logins, seconds: 5 });
    expect(fault).toMatchObject({
      code: 'TargetTimeout',
      message: expect.stringContaining('did not finish'),
    });
  });

  test('a reason of the API comes before it', async () => {
    const denied = new TargetError('PermissionMissing', 'the function may not look');
    const looks = ['available', denied];
    expect(await change(at('available'), { logins: [unreachable], looks })).toMatchObject({ fault: denied });
    const defect = new TypeError('what is this?');
    const { fault } = await change(at('available'), { logins: [unreachable], looks: ['available', defect] });
    expect(fault).toBe(defect);
  });
});

describe("somebody else's change came in between", () => {
  const overtaken = {
    code: 'TargetTimeout',
    message:
      'DB instance "orders" was changed, but does not take the new password: another change came in between; run the ' +
      'same step again',
  };

  test('if the new password is refused three times after it has had time', async () => {
    const { happened, fault } = await change(at('available'), { asks: ['available'], logins: ['refused'] });
    // Ten seconds pass until refusals count.
    expect(count(happened, 'login')).toBe(12);
    expect(fault).toMatchObject(overtaken);
  });

  test('which counts from the end of the change, however long that took', async () => {
    const looks = [...Array<string>(30).fill('modifying'), 'available'];
    const { happened, fault } = await change(at('available'), { looks, logins: ['refused'] });
    expect(count(happened, 'login')).toBe(12);
    expect(fault).toMatchObject(overtaken);
  });

  test('but not if the server only could not be asked three times', async () => {
    const logins: readonly Worth[] = [
      ...Array<Worth>(15).fill(unreachable),
      'refused',
      'refused',
      'accepted',
    ];
    const { happened, fault } = await change(at('available'), { logins });
    expect({ logins: count(happened, 'login'), fault }).toEqual({ logins: 18, fault: undefined });
  });
});

describe('a resource that takes no change now', () => {
  test.each(['modifying', 'backing-up', 'rebooting', 'available'])(
    'is asked again after it was %s',
    async (state) => {
      const { happened, fault } = await change(at('available'), {
        asks: [invalidState, 'modifying'],
        looks: [state, 'available'],
        logins: state === 'modifying' ? ['refused', 'accepted'] : ['accepted'],
      });
      expect({ asks: count(happened, 'ask'), fault }).toEqual({ asks: 2, fault: undefined });
      // While nothing was set a login that is refused counts against the user somewhere.
      expect(count(happened, 'login')).toBe(state === 'modifying' ? 2 : 1);
    },
  );

  test.each([
    ...[
      'stopped',
      'stopping',
      'deleting',
      'failed',
      'creating-failed',
      'restore-error',
      'storage-full',
      'paused',
    ],
    ...[
      'inaccessible-encryption-credentials',
      'incompatible-network',
      'insufficient-capacity',
      'hardware-failure',
    ],
  ])('and is %s waits for a person, and is not waited for', async (state) => {
    const { happened, fault } = await change(at('available'), { asks: [invalidState], looks: [state] });
    expect(happened).toEqual(['ask', 'look']);
    expect(fault).toBeInstanceOf(InvalidState);
    expect(fault).toMatchObject({
      message: `DB instance "orders" is "${state}" and takes no new password now; try again when that is over`,
    });
  });

  test('is waited for while a change is under way, whatever it is called', async () => {
    const looks = [at('stopping', true), at('available')];
    const { happened, fault } = await change(at('available'), { asks: [invalidState, 'modifying'], looks });
    expect({ happened, fault }).toEqual({ happened: ['ask', 'look', 'look', 'login'], fault: undefined });
  });

  test('is no excuse for another error', async () => {
    const denied = new TargetError('PermissionMissing', 'the function may not change it');
    expect(await change(at('available'), { asks: [denied] })).toEqual({ happened: ['ask'], fault: denied });
  });
});

describe('a change that is under way', () => {
  const waited = async (deadline: number, looks: number) => {
    let count = 0;
    const look = async () => {
      count += 1;
      return at(count < looks ? 'modifying' : 'available');
    };
    const now = await settled(at('modifying'), {
      doing: 'the reset',
      deadline: clock + deadline,
      pace,
      look,
    });
    return { count, status: now.status };
  };

  test('is waited for; where there is none nothing is looked at', async () => {
    expect(await waited(9, 13)).toEqual({ count: 13, status: 'available' });
    const look = () => Promise.reject(new Error('looked at'));
    const change = { doing: 'the reset', deadline: clock, pace, look };
    expect(await settled(at('available'), change)).toEqual(at('available'));
  });

  /** The clock stands still: the time left is compared with the next pause alone. */
  test.each([
    ['the first look is due after a third of the pause', 1, 1],
    ['the next ten after a whole one', 3, 11],
    ['later ones after three', 9, 40],
  ])('%s', async (_when, leftMs, looks) => {
    expect(await waited(leftMs, looks)).toEqual({ count: looks, status: 'available' });
    if (leftMs < 9) await expect(waited(leftMs, looks + 1)).rejects.toMatchObject({ code: 'TargetTimeout' });
    await expect(waited(leftMs - 1, looks)).rejects.toMatchObject({ code: 'TargetTimeout' });
  });

  test('is told with its state when time runs out', async () => {
    await expect(waited(0, 2)).rejects.toThrow(
      'DB instance "orders", which is "modifying", did not finish the reset in time; run the same step again, it goes on ' +
        'from there',
    );
  });
});

describe('a login', () => {
  const failing = (code: TargetErrorCode) => new TargetError(code, 'x');

  test('says whether the password is in force', () => {
    expect(worthOf({ outcome: 'accepted' })).toBe('accepted');
    expect(worthOf({ outcome: 'rejected', error: failing('AuthenticationRefused') })).toBe('refused');
    expect(worthOf({ outcome: 'unverifiable', note: 'nobody can be asked' })).toBe('unknown');
  });

  test.each(['TargetRefused', 'DatabaseMissing', 'PermissionMissing'] as const)(
    'that was answered with %s says nothing about it',
    (code) => {
      expect(worthOf({ outcome: 'unreachable', error: failing(code) })).toBe('unknown');
    },
  );

  test.each(['TargetUnreachable', 'TlsRefused', 'TargetTimeout'] as const)(
    'that got no answer is %s',
    (code) => {
      const error = failing(code);
      expect(worthOf({ outcome: 'unreachable', error })).toBe(error);
    },
  );
});
