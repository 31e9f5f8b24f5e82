/** One price of AWS. */
export interface Price {
  /** US dollars for one unit, us-east-1, without free tiers. */
  readonly usd: number;
  /** Name of one unit. */
  readonly unit: string;
  /** AWS's price page. */
  readonly source: string;
  /** Month in which the source was last read, `YYYY-MM`; missing where it could not be looked up again. */
  readonly read?: string;
}

const page = (service: string): string => `https://aws.amazon.com/${service}/pricing/`;

/**
 * AWS's list prices in us-east-1, without free tiers. Where a price depends on the traffic, the highest step stands.
 * A new capability adds what it uses here and to `resources.ts`.
 */
export const prices = {
  secret: { usd: 0.4, unit: 'secret and month', source: page('secrets-manager'), read: '2026-06' },
  secretCalls: { usd: 0.05 / 10_000, unit: 'call', source: page('secrets-manager'), read: '2026-06' },
  key: { usd: 1, unit: 'key and month', source: page('kms'), read: '2026-06' },
  keyRequests: { usd: 0.03 / 10_000, unit: 'request', source: page('kms'), read: '2026-06' },
  lambdaGigabyteSeconds: {
    usd: 0.0000133334,
    unit: 'GB-second on Arm',
    source: page('lambda'),
    read: '2026-06',
  },
  lambdaRequests: { usd: 0.2 / 1_000_000, unit: 'invocation', source: page('lambda'), read: '2026-06' },
  customEvents: { usd: 1 / 1_000_000, unit: 'event', source: page('eventbridge'), read: '2026-06' },
  fifoRequests: { usd: 0.5 / 1_000_000, unit: 'request', source: page('sqs') },
  objectPuts: { usd: 0.005 / 1_000, unit: 'PUT or LIST', source: page('s3') },
  objectGets: { usd: 0.0004 / 1_000, unit: 'GET', source: page('s3') },
  objectStorage: { usd: 0.023, unit: 'GB and month', source: page('s3') },
  alarmMetric: { usd: 0.1, unit: 'alarm metric and month', source: page('cloudwatch'), read: '2026-06' },
  customMetric: { usd: 0.3, unit: 'metric and month', source: page('cloudwatch'), read: '2026-06' },
  logIngestion: { usd: 0.5, unit: 'GB', source: page('cloudwatch'), read: '2026-06' },
  logStorage: { usd: 0.03, unit: 'GB and month', source: page('cloudwatch'), read: '2026-06' },
  traces: { usd: 5 / 1_000_000, unit: 'trace', source: page('xray') },
  interfaceEndpoint: { usd: 0.01, unit: 'hour and zone', source: page('privatelink'), read: '2026-06' },
  transitGatewayAttachment: { usd: 0.05, unit: 'hour and attachment', source: page('transit-gateway') },
  transitions: { usd: 0.025 / 1_000, unit: 'transition', source: page('step-functions'), read: '2026-06' },
} as const satisfies Record<string, Price>;

export type PriceName = keyof typeof prices;

/** Hours that AWS counts in a month. */
export const hoursPerMonth = 730;
