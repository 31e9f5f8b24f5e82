import { Aws, Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import {
  Choice,
  Condition,
  CustomState,
  Fail,
  type IChainable,
  type INextable,
  JitterType,
  type RetryProps,
  Succeed,
  Timeout,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { longestStepSeconds } from '../../core/deployed/limits.ts';
import { type ErrorCode, retryableCodes } from '../../core/errors/codes.ts';
import type { Approvals } from '../approval/approvals.ts';

/** Error that a state may end with. It is a code of Rekey's, or an error of Lambda, its runtime or Step Functions. */
type StateError = ErrorCode | `${'Lambda' | 'Runtime' | 'Sandbox' | 'States'}.${string}`;

/** Lambda could not run the function; a moment later it may. */
export const lambdaErrors: readonly StateError[] = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
  // The function ran out of memory or time, or its process ended.
  'Runtime.ExitError',
  'Sandbox.Timedout',
];

/**
 * Too much is asked for at once: of Lambda, of an API or a key of AWS, of the target. Where many secrets are revoked at once
 * that lasts for minutes, so it has a budget of its own. Lambda's throttles may also be called unknown.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
 */
const crowded: readonly StateError[] = [
  'Lambda.TooManyRequestsException',
  'Lambda.Unknown',
  'Throttled',
  'ResourceBusy',
  'TargetBusy',
];

/** The target, or AWS, gave no answer or an old one; a moment later it may. */
export const passingErrors: readonly StateError[] = [
  ...retryableCodes('target', 'aws').filter((code) => !crowded.includes(code)),
  'LabelsOutdated',
];

/**
 * A deploy has replaced the function since its name was read. One that is gone has no tags either, so it may as well be
 * denied to a role that is told functions by their tags.
 */
const functionGone: StateError[] = [
  'Lambda.ResourceNotFoundException',
  'Lambda.AccessDeniedException',
  'Lambda.AWSLambdaException',
];

export const retry = (
  errors: readonly StateError[],
  maxAttempts: number,
  interval: Duration,
): RetryProps => ({
  errors: [...errors],
  maxAttempts,
  interval,
  backoffRate: 2,
  maxDelay: Duration.seconds(10),
});

/** Random waits, so that calls which were turned away together come back one by one. */
const spread = { jitterStrategy: JitterType.FULL } as const;

/** Retries of calls that found no room, for about 20 minutes on average. */
export const untilFree: RetryProps = {
  errors: [...crowded],
  maxAttempts: 100,
  ...spread,
  interval: Duration.seconds(2),
  backoffRate: 2,
  maxDelay: Duration.seconds(30),
};

/** Timeout of the function that rotates: it waits for as long as a step of the secret's type may take. */
export const rotateTimeout = Duration.seconds(longestStepSeconds + 30);

type Containing = IChainable & INextable & Pick<CustomState, 'addCatch' | 'addRetry'>;

/**
 * Builds a call of the containment function whose name stands in the state. It is written in Amazon States Language because the
 * CDK's own task wants to know the function at synth.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
 */
function containment(
  scope: Construct,
  id: string,
  options: {
    readonly action: 'contain' | 'verify';
    readonly result: string;
    readonly afterRotation: boolean;
  },
): Containing {
  const names = [
    'requestId',
    'correlationId',
    'secretArn',
    'secretName',
    'versions',
    'named',
    'requestedAt',
    'takenAt',
    'assigned',
  ];
  return new CustomState(scope, id, {
    stateJson: {
      Type: 'Task',
      Resource: `arn:${Aws.PARTITION}:states:::lambda:invoke`,
      // The function's own timeout ends it sooner, after as long as its type may take; this one is for a lost answer.
      TimeoutSeconds: longestStepSeconds + 10,
      Parameters: {
        'FunctionName.$': options.afterRotation ? '$.rotated.containmentFunction' : '$.containmentFunction',
        Payload: {
          action: options.action,
          ...Object.fromEntries(names.map((name) => [`${name}.$`, `$.${name}`])),
          ...(options.afterRotation && {
            'newVersionId.$': '$.rotated.newVersionId',
            'rotatedAt.$': '$.rotated.rotatedAt',
          }),
        },
      },
      ResultSelector: { 'value.$': '$.Payload' },
      ResultPath: options.result,
    },
  });
}

/** Has the last state tried again until its record is taken. */
export function retryUntilRecorded(last: LambdaInvoke): void {
  last.addRetry(untilFree);
  // All is done but the record: for as long as neither the bus nor the queue takes it, an hour and more.
  last.addRetry({
    errors: ['AuditUnavailable', 'AuditRefused'],
    maxAttempts: 60,
    ...spread,
    interval: Duration.seconds(5),
    backoffRate: 2,
    maxDelay: Duration.minutes(5),
  });
  last.addRetry(retry([...lambdaErrors, ...passingErrors, 'States.Timeout'], 5, Duration.seconds(1)));
}

/** The functions of the workflow that are no secret type's. */
export interface RevocationFunctions {
  readonly rotate: IFunction;
  readonly report: IFunction;
}

/** The states that a report may lead to. */
interface Ends {
  readonly proven: IChainable;
  readonly unproven: IChainable;
  readonly failed: IChainable;
}

/**
 * Builds the states that replace a credential, cut off what came in between, prove and report. Whatever fails, the report is the
 * last step.
 * @param paced - true where rotations wait for their turn in a state of their own
 * @returns the first of them, and the report
 */
export function replacingStates(
  scope: Construct,
  functions: RevocationFunctions,
  ends: Ends,
  { paced = false }: { readonly paced?: boolean } = {},
): { readonly rotate: LambdaInvoke; readonly report: LambdaInvoke } {
  const report = new LambdaInvoke(scope, 'Report', {
    lambdaFunction: functions.report,
    payloadResponseOnly: true,
    retryOnServiceExceptions: false,
    taskTimeout: Timeout.duration(Duration.seconds(40)),
  });
  retryUntilRecorded(report);
  report.next(
    new Choice(scope, 'Proven?')
      .when(Condition.stringEquals('$.outcome', 'succeeded'), ends.proven)
      .when(Condition.stringEquals('$.outcome', 'unproven'), ends.unproven)
      .otherwise(ends.failed),
  );

  const rotate = new LambdaInvoke(scope, 'Rotate', {
    lambdaFunction: functions.rotate,
    payloadResponseOnly: true,
    retryOnServiceExceptions: false,
    taskTimeout: Timeout.duration(rotateTimeout.plus(Duration.seconds(10))),
    resultPath: '$.rotated',
  });
  rotate.addRetry(untilFree);
  rotate.addRetry({
    // What a deploy is about to permit at its end: a secret that it adopts, another function of somebody else. A role that
    // it made just now is not known everywhere at once, and credentials that ran out are replaced by Lambda.
    ...retry(
      ['SecretAccessDenied', 'RotationFunctionDenied', 'CredentialsExpired', 'CredentialsInvalid'],
      8,
      Duration.seconds(5),
    ),
    maxDelay: Duration.seconds(30),
  });
  // The function does not wait for long: where few may run at once, those that rotate need the place.
  rotate.addRetry({
    errors: ['RotationPending', 'RotationNotStarted'],
    maxAttempts: 24,
    ...spread,
    interval: Duration.seconds(1),
    backoffRate: 1.5,
    maxDelay: Duration.seconds(20),
  });
  rotate.addRetry(retry([...lambdaErrors, ...passingErrors, 'States.Timeout'], 6, Duration.seconds(1)));

  const verify = containment(scope, 'Verify', {
    action: 'verify',
    result: '$.verified',
    afterRotation: true,
  });
  verify.addRetry(untilFree);
  verify.addRetry(
    retry(
      [...lambdaErrors, ...passingErrors, 'RevocationUnproven', 'States.Timeout'],
      4,
      Duration.seconds(1),
    ),
  );
  verify.addCatch(rotate, { errors: functionGone, resultPath: '$.verifyFailure' });
  verify.addCatch(report, { errors: ['States.ALL'], resultPath: '$.verifyFailure' });
  verify.next(report);

  const sweep = containment(scope, 'Contain', { action: 'contain', result: '$.swept', afterRotation: true });
  sweep.addRetry(untilFree);
  sweep.addRetry(retry([...lambdaErrors, ...passingErrors, 'States.Timeout'], 4, Duration.seconds(1)));
  sweep.addCatch(rotate, { errors: functionGone, resultPath: '$.sweepFailure' });
  sweep.addCatch(verify, { errors: ['States.ALL'], resultPath: '$.sweepFailure' });
  sweep.next(verify);

  rotate.addCatch(report, { errors: ['States.ALL'], resultPath: '$.rotateFailure' });
  rotate.next(paced ? inItsTurn(scope, rotate, sweep) : sweep);
  return { rotate, report };
}

/** Builds the states that bring a rotation back when its turn has come. The start that it was given stays its own. */
function inItsTurn(scope: Construct, rotate: LambdaInvoke, rotated: IChainable): IChainable {
  const wait = new Wait(scope, 'Wait for its turn', { time: WaitTime.secondsPath('$.rotated.waitSeconds') });
  wait.next(rotate);
  return new Choice(scope, 'Is it its turn?')
    .when(Condition.isPresent('$.rotated.waitSeconds'), wait)
    .otherwise(rotated);
}

/** Builds the state that cuts off before anything else. What follows is for the caller to say. */
export function containAtOnce(scope: Construct): Containing {
  const contain = containment(scope, 'Contain at once', {
    action: 'contain',
    result: '$.contained',
    afterRotation: false,
  });
  // Where Lambda or the target is full, the rotation would find no place either.
  contain.addRetry(untilFree);
  // Short: rotation waits for it, and the sweep comes back to what failed.
  contain.addRetry({
    ...retry([...lambdaErrors, ...passingErrors], 2, Duration.seconds(1)),
    maxDelay: Duration.seconds(2),
  });
  return contain;
}

/**
 * Builds the states of the revocation workflow.
 *
 * Two of them contain. "Contain at once" comes before the rotation, and its outcome is `contained` in the data; "Contain" is the
 * sweep after the rotation, and its outcome is `swept`.
 *
 * `kill`: cut off, rotate, cut off what came in between, prove, report. `replace` leaves the first one out. A cut-off that
 * fails holds nothing up; what it was worth shows in the proof. Whatever fails, the report is the last step. A secret that
 * Rekey has no way to try is replaced without proof, which is an end of its own.
 */
export function revocationStates(
  scope: Construct,
  functions: RevocationFunctions,
  approvals?: Approvals,
): IChainable {
  const { rotate, report } = replacingStates(scope, functions, {
    proven: new Succeed(scope, 'Revoked'),
    unproven: new Succeed(scope, 'Replaced, not proven'),
    failed: new Fail(scope, 'Not revoked', { errorPath: '$.error', causePath: '$.cause' }),
  });
  const contain = containAtOnce(scope);
  contain.addCatch(rotate, { errors: ['States.ALL'], resultPath: '$.containFailure' });
  contain.next(rotate);

  const first = new Choice(scope, 'Which first?')
    .when(Condition.stringEquals('$.mode', 'kill'), contain)
    .otherwise(rotate);
  return approvals === undefined || approvals.revocation.length === 0
    ? first
    : approvalStates(scope, { approvals, first, refused: report, subject: '$.secretName' });
}

/** Builds the states in which a revocation waits for a second person, where the intake says so. */
export function approvalStates(
  scope: Construct,
  options: {
    readonly approvals: Approvals;
    /** State that follows where nobody is needed, or somebody has approved. */
    readonly first: IChainable;
    /** State that follows where nobody has. */
    readonly refused: IChainable;
    /** Path to the name of what is decided on. */
    readonly subject: string;
  },
): IChainable {
  const { approvals, first, refused, subject } = options;
  const wait = approvals.waitState(
    scope,
    'Wait for approval',
    'revocation',
    {
      id: '$.requestId',
      correlationId: '$.correlationId',
      subject,
      act: '$.mode',
      author: '$.approval.author',
      reason: '$.approval.reason',
    },
    '$.approved',
  );
  wait.addRetry(untilFree);
  wait.addRetry(retry([...lambdaErrors, ...passingErrors], 20, Duration.seconds(1)));
  wait.addCatch(refused, { errors: ['States.ALL'], resultPath: '$.approvalFailure' });
  wait.next(
    new Choice(scope, 'Approved?')
      .when(Condition.booleanEquals('$.approved.proceeds', true), first)
      .otherwise(refused),
  );
  return new Choice(scope, 'Needs approval?').when(Condition.isPresent('$.approval'), wait).otherwise(first);
}
