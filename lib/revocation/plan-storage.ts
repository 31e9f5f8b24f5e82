import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { paceItem, rotationBucket } from '../../core/deployed/pace.ts';

/** The place where plans of revocations, and what came of their secrets, are kept. */
export class PlanStorage extends Construct {
  /** Plans, and the manifest of each step. They hold names, never a value. */
  readonly bucket: Bucket;
  /** Item for each secret of a plan: what was cut off, and its outcome. */
  readonly table: Table;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [{ expiration: Duration.days(400) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'CloudTrail and the audit log say who asked for a plan; access logs would need a bucket more.',
    });
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'requestId', type: AttributeType.STRING },
      sortKey: { name: 'secretName', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'forgetAt',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      // What happened stands in the audit log; what is kept here is of no use without the workflow.
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  /**
   * Lets a role take starts from the bucket of rotations, and touch no outcome of a secret.
   * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
   */
  grantPace(role: Role): void {
    role.addToPolicy(
      new PolicyStatement({
        sid: 'TakeTurn',
        actions: ['dynamodb:UpdateItem'],
        resources: [this.table.tableArn],
        conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [paceItem(rotationBucket)] } },
      }),
    );
  }
}
