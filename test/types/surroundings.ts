import type { Stack } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { ISecurityGroup, IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import type { IRuleTarget } from 'aws-cdk-lib/aws-events';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3';
import type { ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { ContainmentFunction, RekeyBus, RotatedSecret, RotationFunction } from '../../lib/index.ts';

/** What an app has, by the interfaces under which the CDK hands it around. */
export declare const stack: Stack;
export declare const vpc: IVpc;
export declare const group: ISecurityGroup;
export declare const key: IKey;
export declare const existing: ISecret;
export declare const queue: IQueue;
export declare const topic: ITopic;
export declare const bucket: IBucket;
export declare const role: IRole;
export declare const lambda: IFunction;
export declare const logs: ILogGroup;
export declare const workflow: IStateMachine;
export declare const metric: IMetric;
export declare const target: IRuleTarget;

/** The same as the app made them; the CDK's own declarations do not keep to `exactOptionalPropertyTypes`. */
export declare const madeVpc: Vpc;
export declare const madeSecret: Secret;
export declare const madeBucket: Bucket;

/** What it has of Rekey. */
export declare const bus: RekeyBus;
export declare const rotation: RotationFunction;
export declare const containment: ContainmentFunction;
export declare const orders: RotatedSecret;
