import * as z from 'zod';
import { plain } from '../notification/text.ts';

/** The principal behind a call, as AWS itself recorded it. */
export interface Caller {
  /** ARN of the session or user, or the id or service where there is none. */
  readonly principal: string;
  /** ARN of the role whose session it is, or of the user: the one that policies are attached to. */
  readonly identity?: string;
  /** Name of the session under the role. */
  readonly session?: string;
  readonly account?: string;
  /** ARN of the Lambda function that AWS gave the credentials to. */
  readonly function?: string;
}

/** A call of an AWS API, out of a file of a trail. */
export interface TrailCall {
  /** Id that CloudTrail gave the record. */
  readonly id: string;
  /** Time of the call, to the second. */
  readonly time: string;
  /** Service, such as `events.amazonaws.com`. */
  readonly service: string;
  readonly name: string;
  readonly caller: Caller;
  readonly sourceAddress: string;
  readonly userAgent: string;
  /** Code with which AWS refused it; absent where it went through. */
  readonly refused?: string;
  readonly parameters: unknown;
  readonly response: unknown;
  /** ARNs of what the call was about, where the service says so. */
  readonly resources: readonly string[];
}

const word = z.string().max(2_048);

/**
 * A record as far as it is looked at. Others of its members are let pass, since services add to them.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
 */
const recordSchema = z.object({
  eventID: z.string().min(1).max(128),
  eventTime: z.iso.datetime({ offset: true }),
  eventSource: z.string().min(1).max(256),
  eventName: z.string().min(1).max(256),
  sourceIPAddress: z.string().nullish(),
  userAgent: z.string().nullish(),
  errorCode: z.string().nullish(),
  userIdentity: z
    .object({
      arn: word.nullish(),
      principalId: word.nullish(),
      accountId: word.nullish(),
      invokedBy: word.nullish(),
      sessionContext: z.object({ sessionIssuer: z.object({ arn: word.nullish() }).nullish() }).nullish(),
      inScopeOf: z.object({ issuerType: word.nullish(), credentialsIssuedTo: word.nullish() }).nullish(),
    })
    .nullish(),
  requestParameters: z.unknown(),
  responseElements: z.unknown(),
  resources: z.array(z.object({ ARN: word.nullish() })).nullish(),
});

type Identity = NonNullable<z.output<typeof recordSchema>['userIdentity']>;

/** Issuer of the credentials of a Lambda function, in `inScopeOf`. */
const ofLambda = 'AWS::Lambda::Function';

function callerOf(who: Identity): Caller {
  const { arn, accountId, sessionContext, inScopeOf } = who;
  const principal = plain(arn ?? who.principalId ?? who.invokedBy ?? '', 2_000) || 'unknown';
  const session = /^arn:[\w-]+:sts::\d*:(?:assumed-role|federated-user)\/(?:[^/]+\/)?([^/]+)$/.exec(
    arn ?? '',
  )?.[1];
  const issuer = sessionContext?.sessionIssuer?.arn;
  const identity = issuer ?? (/^arn:[\w-]+:iam::/.test(arn ?? '') ? arn : undefined);
  const given = inScopeOf?.issuerType === ofLambda ? inScopeOf.credentialsIssuedTo : undefined;
  return {
    principal,
    ...(typeof identity === 'string' && { identity: plain(identity, 2_000) }),
    ...(session !== undefined && { session: plain(session, 64) }),
    ...(typeof accountId === 'string' && { account: plain(accountId, 32) }),
    ...(typeof given === 'string' && { function: plain(given, 512) }),
  };
}

/**
 * Reads one record of a trail.
 * @returns undefined for a record of another form
 */
export function trailCall(text: string): TrailCall | undefined {
  const record = recordSchema.safeParse(parsed(text)).data;
  if (record === undefined) return undefined;
  const { errorCode } = record;
  return {
    id: plain(record.eventID, 128),
    time: new Date(record.eventTime).toISOString(),
    service: record.eventSource,
    name: record.eventName,
    caller: callerOf(record.userIdentity ?? {}),
    sourceAddress: plain(record.sourceIPAddress ?? '', 200) || 'unknown',
    userAgent: plain(record.userAgent ?? '', 400) || 'unknown',
    ...(typeof errorCode === 'string' && { refused: plain(errorCode, 120) || 'unknown' }),
    parameters: record.requestParameters,
    response: record.responseElements,
    resources: (record.resources ?? []).flatMap(({ ARN }) => (typeof ARN === 'string' ? ARN : [])),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
