import { describe, expect, test } from '@jest/globals';
import type { TargetError } from '../../../../core/errors/rekey-error.ts';
import { callApi, InvalidState, isNotFound } from '../../../../rotators/families/aws-api/errors.ts';

const change = {
  where: 'RDS',
  doing: 'modify DB instance "orders"',
  action: 'rds:ModifyDBInstance',
  changes: true,
};
const look = {
  where: 'RDS',
  doing: 'describe DB instance "orders"',
  action: 'rds:DescribeDBInstances',
  changes: false,
};
const context = { connectTimeoutMs: 60_000, statementTimeoutMs: 60_000, finding: () => undefined };

/** An error as the SDK throws it. */
const answer = (name: string, message = 'text of the service', status = 400) =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });

const failure = (call: typeof change, error: unknown): Promise<TargetError> =>
  callApi(call, context, () => Promise.reject(error)).then(
    () => Promise.reject(new Error('the call succeeded')),
    (thrown: TargetError) => thrown,
  );

test('a call that succeeds gives what the service answered', async () => {
  expect(await callApi(look, context, async ({ aborted }) => ({ aborted }))).toEqual({ aborted: false });
});

describe('a call that fails', () => {
  test.each([
    ['AuthorizationError', 'PermissionMissing', false],
    ['ThrottlingException', 'TargetBusy', true],
    ['InternalFailure', 'TargetTimeout', true],
    ['ConflictException', 'TargetTimeout', true],
    ['ECONNREFUSED', 'TargetUnreachable', true],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'TlsRefused', false],
    ['InvalidParameterValue', 'TargetRefused', false],
  ])('with %s is the code %s', async (name, code, retryable) => {
    const error = await failure(look, answer(name));
    expect([error.code, error.retryable]).toEqual([code, retryable]);
    expect(error.message).toContain(`RDS: `);
    expect(error.message).toContain(`describe DB instance "orders"`);
    expect(error.message).toContain(name);
    expect(error.message).not.toContain('text of the service');
  });

  test('says what can be done about it', async () => {
    expect((await failure(look, answer('InternalFailure'))).message).toBe(
      'RDS: could not describe DB instance "orders" (InternalFailure); AWS failed; try later, and see the AWS Health ' +
        'Dashboard if it stays',
    );
  });

  test('without permission names the action, and the policy that denies where AWS tells', async () => {
    expect((await failure(change, answer('AccessDenied'))).message).toBe(
      'RDS: the function may not modify DB instance "orders" (AccessDenied); its role needs rds:ModifyDBInstance, and no ' +
        'policy may deny it',
    );
    const denied = 'User x is not authorized to perform y with an explicit deny in a service control policy';
    expect((await failure(change, answer('AccessDenied', denied))).message).toContain(
      '(AccessDenied: an explicit deny in the service control policy)',
    );
  });

  test('for a password that the service does not take says so, and repeats nothing of it', async () => {
    const text = 'The parameter MasterUserPassword "hunter2" is not a valid password';
    const error = await failure(change, answer('InvalidParameterValue', text));
    expect(error).toMatchObject({
      code: 'PolicyRefused',
      message:
        'RDS: the service does not take the password that it was given to modify DB instance "orders" (InvalidParameterValue)',
    });
  });

  test.each([
    ['looks, and changes nothing', look, 'InvalidParameterValue', 'not a valid password'],
    ['has another fault', change, 'InvalidParameterValue', 'not a valid name'],
    ['is refused for another reason', change, 'DBInstanceNotFound', 'no password for it'],
  ] as const)('and %s is not refused for its password', async (_what, call, name, text) => {
    expect(await failure(call, answer(name, text))).toMatchObject({ code: 'TargetRefused' });
  });

  test.each(['InvalidDBInstanceState', 'InvalidUserState', 'InvalidDBClusterStateFault'])(
    'with %s may be taken in another state',
    async (name) => {
      const error = await failure(change, answer(name));
      expect(error).toBeInstanceOf(InvalidState);
      expect(error).toMatchObject({
        code: 'TargetTimeout',
        retryable: true,
        message: `RDS: cannot modify DB instance "orders" now (${name})`,
      });
    },
  );

  test('with what is no error of AWS was not answered', async () => {
    expect(await failure(change, new TypeError('what is this?'))).toMatchObject({
      code: 'TargetUnreachable',
      message: expect.stringContaining('could not modify DB instance "orders" (no answer)'),
    });
  });
});

test.each([
  ['a change', change, 'TargetTimeout'],
  ['a look', look, 'TargetUnreachable'],
] as const)(
  '%s waits as long as a connection and a statement may take together',
  async (_what, call, code) => {
    const late = callApi(
      call,
      { ...context, connectTimeoutMs: 20, statementTimeoutMs: 10 },
      (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(answer('AbortError')));
        }),
    );
    await expect(late).rejects.toMatchObject({
      code,
      message: expect.stringMatching(
        `^RDS: no answer within 30 ms to: ${call.doing}; from a VPC there must be`,
      ),
    });
  },
);

test.each([
  ['DBInstanceNotFound', true],
  ['DBInstanceNotFoundFault', true],
  ['DBClusterNotFoundFault', true],
  ['ClusterNotFoundFault', true],
  ['UserNotFoundFault', true],
  ['DBSnapshotNotFound', false],
  ['UserNotFoundInGroup', false],
  ['MyUserNotFound', false],
  ['AccessDenied', false],
])('%s says that the resource does not exist: %s', (name, isMissing) => {
  expect(isNotFound(answer(name))).toBe(isMissing);
});

test('an error that is none of AWS says nothing about a resource', () => {
  expect(isNotFound(new TypeError('what is this?'))).toBe(false);
});
