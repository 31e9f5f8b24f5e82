import { Duration } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import {
  Choice,
  Condition,
  DistributedMap,
  Fail,
  type IChainable,
  JsonPath,
  Parallel,
  Pass,
  S3JsonItemReader,
  StateMachineType,
  Map as StateMap,
  Succeed,
  TaskInput,
  Timeout,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import {
  DynamoAttributeValue,
  DynamoGetItem,
  DynamoUpdateItem,
  LambdaInvocationType,
  LambdaInvoke,
} from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import type { Approvals } from '../approval/approvals.ts';
import {
  approvalStates,
  containAtOnce,
  lambdaErrors,
  passingErrors,
  type RevocationFunctions,
  replacingStates,
  retry,
  retryUntilRecorded,
  untilFree,
} from './revocation-states.ts';

/** Name by which the executions of lanes are told from those of plans. */
export const lanesLabel = 'Lanes';

/** The functions, places and limits that the states of a plan use. */
export interface PlanParts {
  readonly functions: RevocationFunctions & {
    readonly plan: IFunction;
    readonly conclude: IFunction;
    /** The function that reaches environments elsewhere, where there are any. */
    readonly members?: IFunction;
  };
  /** Bucket of the plans. */
  readonly bucket: Bucket;
  /** Table of what came of each secret. */
  readonly table: Table;
  /** Lanes that go at once, over all targets. */
  readonly maxConcurrency: number;
  readonly approvals?: Approvals | undefined;
}

/**
 * Builds the states of a revocation of several secrets: it is planned, announced, done step by step, and concluded. A step is
 * a Distributed Map over its lanes; a lane takes its secrets one after the other. A secret, a lane or a step that fails holds up
 * nothing: what has no outcome at the end is counted as failed.
 */
export function planStates(scope: Construct, parts: PlanParts): IChainable {
  const { functions, approvals, bucket, maxConcurrency } = parts;
  const conclude = concluding(scope, functions.conclude);
  const manifests = Bucket.fromBucketName(scope, 'Manifests', bucket.bucketName);

  const plan = new LambdaInvoke(scope, 'Plan', {
    lambdaFunction: functions.plan,
    payloadResponseOnly: true,
    payload: TaskInput.fromObject({ action: 'plan', input: JsonPath.entirePayload }),
    retryOnServiceExceptions: false,
    taskTimeout: Timeout.duration(Duration.minutes(5)),
    resultPath: '$.plan',
  });
  plan.addRetry(untilFree);
  plan.addRetry(retry([...lambdaErrors, ...passingErrors, 'States.Timeout'], 4, Duration.seconds(1)));
  plan.addCatch(conclude, { errors: ['States.ALL'], resultPath: '$.planFailure' });

  // It goes beside the steps: nothing waits for a thousand records.
  const announce = new LambdaInvoke(scope, 'Announce', {
    lambdaFunction: functions.plan,
    invocationType: LambdaInvocationType.EVENT,
    payload: TaskInput.fromObject({ action: 'announce', input: JsonPath.entirePayload }),
    retryOnServiceExceptions: false,
    resultPath: JsonPath.DISCARD,
  });
  announce.addRetry(retry(lambdaErrors, 3, Duration.seconds(1)));

  const begin = new Pass(scope, 'Begin', { parameters: { step: 0 }, resultPath: '$.progress' });
  const take = new Pass(scope, 'Take step', {
    parameters: {
      step: JsonPath.numberAt('$.progress.step'),
      key: JsonPath.arrayGetItem(JsonPath.listAt('$.plan.steps'), JsonPath.numberAt('$.progress.step')),
    },
    resultPath: '$.progress',
  });
  const run = new DistributedMap(scope, 'Run step', {
    label: lanesLabel,
    mapExecutionType: StateMachineType.STANDARD,
    itemReader: new S3JsonItemReader({ bucket: manifests, key: JsonPath.stringAt('$.progress.key') }),
    maxConcurrency,
    toleratedFailurePercentage: 100,
    resultPath: JsonPath.DISCARD,
  });
  run.itemProcessor(laneStates(scope, parts));
  const done = new Pass(scope, 'Step done', {
    parameters: { step: JsonPath.mathAdd(JsonPath.numberAt('$.progress.step'), 1) },
    resultPath: '$.progress',
  });
  run.addRetry(retry(['States.ItemReaderFailed'], 3, Duration.seconds(1)));
  run.addCatch(done, { errors: ['States.ALL'], resultPath: JsonPath.DISCARD });
  const more = new Choice(scope, 'More steps?')
    .when(Condition.numberLessThanJsonPath('$.progress.step', '$.plan.count'), take)
    .otherwise(functions.members === undefined ? conclude : new Pass(scope, 'Steps done'));
  take.next(run);
  run.next(done);
  done.next(more);
  begin.next(more);
  const next =
    functions.members === undefined ? begin : everywhere(scope, functions.members, begin, conclude);
  announce.addCatch(next, { errors: ['States.ALL'], resultPath: JsonPath.DISCARD });
  announce.next(next);

  plan.next(
    approvals === undefined || approvals.revocation.length === 0
      ? announce
      : approvalStates(scope, { approvals, first: announce, refused: conclude, subject: '$.plan.subject' }),
  );
  return plan;
}

/**
 * Builds the states that have environments elsewhere run their parts, beside the steps of the own one. Neither holds up the other.
 * A request that is about no other environment passes by them.
 */
function everywhere(
  scope: Construct,
  lambdaFunction: IFunction,
  own: Pass,
  conclude: LambdaInvoke,
): Parallel {
  const ended = new Pass(scope, 'Members done');
  const follow = new LambdaInvoke(scope, 'Follow members', {
    lambdaFunction,
    payloadResponseOnly: true,
    payload: TaskInput.fromObject({ action: 'follow', input: JsonPath.entirePayload }),
    retryOnServiceExceptions: false,
    taskTimeout: Timeout.duration(Duration.minutes(2)),
    resultPath: '$.loop',
  });
  const wait = new Wait(scope, 'Wait for members', { time: WaitTime.secondsPath('$.loop.waitSeconds') });
  follow.addRetry(untilFree);
  follow.addRetry(retry([...lambdaErrors, ...passingErrors, 'States.Timeout'], 8, Duration.seconds(2)));
  // Nothing that is wrong here undoes what was sent: members end their parts by themselves, and people look after them.
  follow.addCatch(ended, { errors: ['States.ALL'], resultPath: JsonPath.DISCARD });
  follow.next(
    new Choice(scope, 'Members through?')
      .when(Condition.booleanEquals('$.loop.done', true), ended)
      .otherwise(wait.next(follow)),
  );
  const asked = new Choice(scope, 'About members?')
    .when(Condition.isPresent('$.request.members'), follow)
    .otherwise(ended);
  const both = new Parallel(scope, 'Everywhere', { resultPath: JsonPath.DISCARD });
  both.branch(own, asked);
  both.addCatch(conclude, { errors: ['States.ALL'], resultPath: JsonPath.DISCARD });
  both.next(conclude);
  return both;
}

/** Builds the last state: it goes on until the outcome is recorded. */
function concluding(scope: Construct, lambdaFunction: IFunction): LambdaInvoke {
  const conclude = new LambdaInvoke(scope, 'Conclude', {
    lambdaFunction,
    payloadResponseOnly: true,
    retryOnServiceExceptions: false,
    taskTimeout: Timeout.duration(Duration.minutes(5)),
  });
  retryUntilRecorded(conclude);
  conclude.next(
    new Choice(scope, 'Concluded?')
      .when(Condition.stringEquals('$.outcome', 'proven'), new Succeed(scope, 'Proven'))
      .when(
        Condition.stringEquals('$.outcome', 'rejected'),
        new Fail(scope, 'Rejected', { errorPath: '$.error', causePath: '$.cause' }),
      )
      .when(
        Condition.numberGreaterThan('$.failed', 0),
        new Fail(scope, 'Some failed', {
          error: 'RevocationUnproven',
          cause: 'some secrets of the plan failed; rekey incident show names them',
        }),
      )
      .otherwise(new Succeed(scope, 'Left to people')),
  );
  return conclude;
}

/** Builds the states of a lane: its secrets go one after the other, whatever comes of each. */
function laneStates(scope: Construct, { functions, table }: PlanParts): IChainable {
  const lane = new StateMap(scope, 'Secrets of the lane', {
    itemsPath: '$.secrets',
    maxConcurrency: 1,
    resultPath: JsonPath.DISCARD,
  });
  // What a lane returns is small: the results of all lanes together must not grow beyond 256 KiB.
  const ended = new Pass(scope, 'Lane done', { parameters: {} });
  lane.itemProcessor(secretStates(scope, functions, table));
  lane.addCatch(ended, { errors: ['States.ALL'], resultPath: JsonPath.DISCARD });
  lane.next(ended);
  return lane;
}

/** Builds the states of one secret of a step, by what the step is for. */
function secretStates(scope: Construct, functions: RevocationFunctions, table: Table): IChainable {
  const ended = new Pass(scope, 'Secret done', { parameters: {} });
  const { rotate, report } = replacingStates(
    scope,
    functions,
    { proven: ended, unproven: ended, failed: ended },
    { paced: true },
  );
  report.addCatch(ended, { errors: ['States.ALL'], resultPath: JsonPath.DISCARD });

  const key = {
    requestId: DynamoAttributeValue.fromString(JsonPath.stringAt('$.partOf')),
    secretName: DynamoAttributeValue.fromString(JsonPath.stringAt('$.secretName')),
  };
  const keep = new DynamoUpdateItem(scope, 'Keep what was cut off', {
    table,
    key,
    updateExpression: 'SET contained = :contained',
    expressionAttributeValues: {
      ':contained': DynamoAttributeValue.fromString(
        JsonPath.jsonToString(JsonPath.objectAt('$.contained.value')),
      ),
    },
    resultPath: JsonPath.DISCARD,
  });
  keep.addRetry(retry(['States.TaskFailed', 'States.Timeout'], 3, Duration.seconds(1)));
  keep.addCatch(ended, { errors: ['States.ALL'], resultPath: JsonPath.DISCARD });
  keep.next(ended);

  const contain = containAtOnce(scope);
  contain.addCatch(ended, { errors: ['States.ALL'], resultPath: JsonPath.DISCARD });
  contain.next(keep);

  const next = new Choice(scope, 'Still to be cut off?')
    .when(Condition.stringEquals('$.phase', 'replace'), rotate)
    .when(Condition.isPresent('$.contained.value.refusedAt'), ended)
    .otherwise(contain);
  const recall = new Pass(scope, 'Recall it', {
    parameters: { value: JsonPath.stringToJson(JsonPath.stringAt('$.kept.Item.contained.S')) },
    resultPath: '$.contained',
  });
  recall.next(next);
  const read = new DynamoGetItem(scope, 'Read what was cut off', {
    table,
    key,
    consistentRead: true,
    resultPath: '$.kept',
  });
  read.addRetry(retry(['States.TaskFailed', 'States.Timeout'], 3, Duration.seconds(1)));
  // Without it, the time of the first refusal is that of the proof.
  read.addCatch(next, { errors: ['States.ALL'], resultPath: JsonPath.DISCARD });
  read.next(
    new Choice(scope, 'Was it cut off?')
      .when(Condition.isPresent('$.kept.Item.contained.S'), recall)
      .otherwise(next),
  );
  return new Choice(scope, 'Which phase?')
    .when(Condition.stringEquals('$.phase', 'contain'), contain)
    .otherwise(read);
}
