import { hoursPerMonth, type PriceName } from './prices.ts';

/** Units of a price that a resource takes in a month by being there, whatever is done with it. */
export interface Charge {
  readonly price: PriceName;
  readonly units: number;
}

/** Either what a resource costs by being there, or why it costs nothing so. */
export type Billing = { readonly free: string } | { charges(properties: Properties): readonly Charge[] };

export type Properties = Readonly<Record<string, unknown>>;

const noPrice: Billing = { free: 'AWS has no price for it.' };
const byUse: Billing = { free: 'Paid by use, which the rows of usage count.' };

/**
 * Way in which every CloudFormation type that Rekey deploys is paid for. A test fails for a type that is not here, so that
 * everything billable has a price.
 */
export const billing: Readonly<Record<string, Billing>> = {
  'AWS::CDK::Metadata': noPrice,
  'AWS::CloudTrail::Trail': {
    free: 'Paid by event. Of management events, a region’s first copy is free.',
  },
  'AWS::CloudWatch::Alarm': { charges: (alarm) => [{ price: 'alarmMetric', units: alarmMetrics(alarm) }] },
  'AWS::DynamoDB::Table': {
    free: 'Paid by request: some cents a month for what the notifier looks for each minute, fingerprints, approvals and reads of secrets.',
  },
  'AWS::EC2::FlowLog': byUse,
  'AWS::EC2::Route': noPrice,
  'AWS::EC2::RouteTable': noPrice,
  'AWS::EC2::SecurityGroup': noPrice,
  'AWS::EC2::SecurityGroupEgress': noPrice,
  'AWS::EC2::SecurityGroupIngress': noPrice,
  'AWS::EC2::Subnet': noPrice,
  'AWS::EC2::SubnetRouteTableAssociation': noPrice,
  'AWS::EC2::TransitGatewayVpcAttachment': {
    charges: () => [{ price: 'transitGatewayAttachment', units: hoursPerMonth }],
  },
  'AWS::EC2::VPC': noPrice,
  'AWS::EC2::VPCPeeringConnection': { free: 'Paid by data between zones.' },
  'AWS::EC2::VPCEndpoint': {
    charges: (endpoint) => [{ price: 'interfaceEndpoint', units: endpointZones(endpoint) * hoursPerMonth }],
  },
  'AWS::Events::Archive': byUse,
  'AWS::Events::EventBus': byUse,
  'AWS::Events::EventBusPolicy': noPrice,
  'AWS::Events::Rule': {
    free: 'Events of AWS services and schedules of rules are free; custom events are usage.',
  },
  'AWS::IAM::AccessKey': noPrice,
  'AWS::IAM::ManagedPolicy': noPrice,
  'AWS::IAM::Policy': noPrice,
  'AWS::IAM::Role': noPrice,
  'AWS::IAM::User': noPrice,
  'AWS::KMS::Key': { charges: () => [{ price: 'key', units: 1 }] },
  'AWS::Lambda::EventInvokeConfig': noPrice,
  'AWS::Lambda::EventSourceMapping': {
    free: 'Its polls are requests to the queue, which the rows of usage count.',
  },
  'AWS::Lambda::Function': byUse,
  'AWS::Lambda::Permission': noPrice,
  'AWS::Lambda::Url': noPrice,
  'AWS::Logs::LogGroup': byUse,
  'AWS::S3::Bucket': byUse,
  'AWS::S3::BucketPolicy': noPrice,
  'AWS::SNS::Subscription': { free: 'The first 1,000 mails of a month are free; alarms send a handful.' },
  'AWS::SNS::Topic': byUse,
  'AWS::SNS::TopicPolicy': noPrice,
  'AWS::SQS::Queue': byUse,
  'AWS::SQS::QueuePolicy': noPrice,
  'AWS::SSM::Parameter': { free: 'Standard parameters are free.' },
  'AWS::SecretsManager::ResourcePolicy': noPrice,
  'AWS::SecretsManager::RotationSchedule': byUse,
  'AWS::SecretsManager::Secret': { charges: () => [{ price: 'secret', units: 1 }] },
  'AWS::StepFunctions::StateMachine': byUse,
  'Custom::RekeyFingerprints': noPrice,
  'Custom::RekeyFirstRotation': noPrice,
};

/** Counts the metrics that an alarm watches, each of which is paid for. Expressions over them cost nothing more. */
function alarmMetrics({ Metrics }: Properties): number {
  return Array.isArray(Metrics)
    ? Metrics.filter((query: { MetricStat?: unknown }) => query.MetricStat !== undefined).length
    : 1;
}

/** Counts the zones of an interface endpoint, each of which is paid for. Gateway endpoints cost nothing. */
function endpointZones({ VpcEndpointType, SubnetIds }: Properties): number {
  return VpcEndpointType === 'Interface' && Array.isArray(SubnetIds) ? SubnetIds.length : 0;
}
