import { ArnFormat, Stack } from 'aws-cdk-lib';
import { CfnTrail } from 'aws-cdk-lib/aws-cloudtrail';
import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { CfnBucket, IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { trailFilesPrefix, trailName } from '../../core/deployed/trail.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';

/** The place where files of a trail are found: of a {@link Trail}, or of one that is there already. */
export interface TrailFilesPlace {
  readonly bucket: IBucket;
  /** Key that encrypts the files. @default - one of S3, which needs no permission */
  readonly encryptionKey?: IKey;
  /** Prefix of the trail in its bucket, without the slash behind it. @default - none */
  readonly prefix?: string;
  /** Id of the organization whose trail it is, such as `o-a1b2c3d4e5`. @default - the trail is the account's own */
  readonly organization?: string;
}

/** Props of {@link Trail}. */
export interface TrailProps {
  /** Bus of the environment. CloudTrail logs who puts events on it. */
  readonly bus: IRekeyBus;
  /** Log in whose bucket, under whose lock and key, the trail keeps its files. It lies in the same stack. */
  readonly log: AuditLog;
}

/** The principal of CloudTrail. */
const service = 'cloudtrail.amazonaws.com';

/**
 * The CloudTrail trail of one environment. It logs who put events on the bus, and all calls of the region that manage something,
 * reads of secrets among them. Its files lie in the bucket of the audit log, below `AWSLogs/`, under the same lock and key. See
 * `docs/attribution.md`.
 *
 * @example
 * const trail = new Trail(this, 'Trail', { bus, log });
 * new Attribution(this, 'Attribution', { bus, auditQueue: log.queue, files: trail });
 */
export class Trail extends Construct implements TrailFilesPlace {
  readonly trail: CfnTrail;
  readonly trailArn: string;
  readonly bucket: IBucket;
  readonly encryptionKey: IKey;

  constructor(scope: Construct, id: string, { bus, log }: TrailProps) {
    super(scope, id);
    const { environment } = bus;
    // For exactOptionalPropertyTypes, which the CDK's own declarations do not keep to.
    this.bucket = log.bucket as IBucket;
    this.encryptionKey = log.key;
    const name = trailName(environment);
    // By its name: the policies of bucket and key stand before the trail, which cannot be made without them.
    this.trailArn = Stack.of(this).formatArn({
      service: 'cloudtrail',
      resource: 'trail',
      resourceName: name,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
    this.permitFiles(log);
    this.permitKey(log);
    // Not by the CDK's method, which brings a function of its own that may change every bucket of the account.
    (log.bucket.node.defaultChild as CfnBucket).notificationConfiguration = {
      eventBridgeConfiguration: { eventBridgeEnabled: true },
    };
    this.trail = new CfnTrail(this, 'Trail', {
      trailName: name,
      s3BucketName: log.bucket.bucketName,
      kmsKeyId: log.key.keyArn,
      isLogging: true,
      enableLogFileValidation: true,
      isMultiRegionTrail: false,
      includeGlobalServiceEvents: false,
      advancedEventSelectors: [
        {
          name: `Who puts events on ${bus.eventBus.eventBusName}`.slice(0, 100),
          fieldSelectors: [
            { field: 'eventCategory', equalTo: ['Data'] },
            { field: 'resources.type', equalTo: ['AWS::Events::EventBus'] },
            { field: 'resources.ARN', equalTo: [bus.eventBus.eventBusArn] },
            { field: 'eventName', equalTo: ['PutEvents'] },
          ],
        },
        {
          // CloudTrail can leave out these two services, and cannot be asked for one alone.
          name: 'Who reads and rotates secrets',
          fieldSelectors: [
            { field: 'eventCategory', equalTo: ['Management'] },
            { field: 'eventSource', notEquals: ['kms.amazonaws.com', 'rdsdata.amazonaws.com'] },
          ],
        },
      ],
    });
    const { policy } = log.bucket;
    if (policy !== undefined) this.trail.node.addDependency(policy);
  }

  /**
   * Lets this trail, and nobody else, put files below `AWSLogs/`.
   * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
   */
  private permitFiles({ bucket }: AuditLog): void {
    const principals = [new ServicePrincipal(service)];
    const ofTrail = { StringEquals: { 'aws:SourceArn': this.trailArn } };
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'TrailLooks',
        principals,
        actions: ['s3:GetBucketAcl'],
        resources: [bucket.bucketArn],
        conditions: ofTrail,
      }),
    );
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'TrailWrites',
        principals,
        actions: ['s3:PutObject'],
        resources: [bucket.arnForObjects(`AWSLogs/${Stack.of(this).account}/*`)],
        conditions: {
          StringEquals: { ...ofTrail.StringEquals, 's3:x-amz-acl': 'bucket-owner-full-control' },
        },
      }),
    );
    // A condition that denies is met where its key is missing, as in a request of a person.
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'OnlyTheTrailWrites',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['s3:PutObject'],
        resources: [bucket.arnForObjects('AWSLogs/*')],
        conditions: { StringNotEquals: { 'aws:SourceArn': this.trailArn } },
      }),
    );
  }

  /**
   * Lets this trail encrypt its files. A bucket with a bucket key needs `kms:Decrypt` besides.
   * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
   */
  private permitKey({ key }: AuditLog): void {
    const principals = [new ServicePrincipal(service)];
    const ofTrail = { StringEquals: { 'aws:SourceArn': this.trailArn } };
    const { partition, account } = Stack.of(this);
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'TrailEncrypts',
        principals,
        actions: ['kms:GenerateDataKey*'],
        resources: ['*'],
        conditions: {
          ...ofTrail,
          StringLike: {
            'kms:EncryptionContext:aws:cloudtrail:arn': `arn:${partition}:cloudtrail:*:${account}:trail/*`,
          },
        },
      }),
    );
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'TrailUsesTheBucketKey',
        principals,
        actions: ['kms:Decrypt', 'kms:DescribeKey'],
        resources: ['*'],
        conditions: ofTrail,
      }),
    );
  }
}

/** Gives the beginning of the keys of the files that are about this account and region. */
export const filesPrefixOf = (scope: Construct, { prefix, organization }: TrailFilesPlace): string => {
  const { account, region } = Stack.of(scope);
  return trailFilesPrefix({ prefix, organization, account, region });
};
