/** Partitions of the table of a trail's memory, which the role of each reader names. */
export const trailKeys = {
  /** Times of the first and the last call that were read. */
  progress: 'progress',
  /** Beginning of the partitions that hold what somebody read. */
  reads: 'reads ',
  /** Gives the partition of what a role or user read. */
  readsBy: (identity: string): string => `reads ${identity}`,
} as const;

/** Gives the name of the trail of an environment. */
export const trailName = (environment: string): string => `rekey-${environment}`;

/** The place of a trail's files. */
export interface TrailPlace {
  /** Prefix of the trail in its bucket, without the slash behind it. @default - none */
  readonly prefix?: string | undefined;
  /** Id of the organization whose trail it is. @default - the trail is the account's own */
  readonly organization?: string | undefined;
  readonly account: string;
  readonly region: string;
}

/**
 * Gives the beginning of the keys of an account's log files in one region.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
 */
export const trailFilesPrefix = ({ prefix, organization, account, region }: TrailPlace): string =>
  [prefix, 'AWSLogs', organization, account, 'CloudTrail', region, '']
    .filter((part) => part !== undefined)
    .join('/');
