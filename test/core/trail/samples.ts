import { gzipSync } from 'node:zlib';

/** Records as AWS documents them: https://docs.aws.amazon.com/eventbridge/latest/userguide/logging-using-cloudtrail.html */

export const account = '111122223333';
export const busArn = `arn:aws:events:eu-central-1:${account}:event-bus/rekey-prod`;

export const session = (role: string, name: string) => ({
  type: 'AssumedRole',
  principalId: `AROAEXAMPLE:${name}`,
  arn: `arn:aws:sts::${account}:assumed-role/${role}/${name}`,
  accountId: account,
  accessKeyId: 'ASIAEXAMPLE',
  sessionContext: {
    sessionIssuer: {
      type: 'Role',
      principalId: 'AROAEXAMPLE',
      arn: `arn:aws:iam::${account}:role/people/${role}`,
      accountId: account,
      userName: role,
    },
    attributes: { creationDate: '2026-03-07T00:49:09Z', mfaAuthenticated: 'false' },
  },
});

const record = (of: object) => ({
  eventVersion: '1.11',
  userIdentity: session('responder', 'alice'),
  eventTime: '2026-03-07T00:51:07Z',
  awsRegion: 'eu-central-1',
  sourceIPAddress: '192.0.2.1',
  userAgent: 'aws-cli/2.33.13',
  requestID: 'a1b2c3d4-5678-90ab-cdef-EXAMPLE22222',
  eventID: 'a1b2c3d4-5678-90ab-cdef-EXAMPLE33333',
  eventType: 'AwsApiCall',
  recipientAccountId: account,
  ...of,
});

/** Makes a record of PutEvents. */
export const putEvents = (of: object = {}) =>
  record({
    eventSource: 'events.amazonaws.com',
    eventName: 'PutEvents',
    requestParameters: {
      entries: [
        {
          source: 'rekey.cli',
          detailType: 'Secret Revocation Requested',
          detail: 'HIDDEN_DUE_TO_SECURITY_REASONS',
          eventBusName: 'rekey-prod',
        },
      ],
    },
    responseElements: {
      failedEntryCount: 0,
      entries: [{ eventId: 'a1b2c3d4-5678-90ab-cdef-EXAMPLE11111' }],
    },
    readOnly: false,
    resources: [{ type: 'AWS::Events::EventBus', ARN: busArn }],
    managementEvent: false,
    eventCategory: 'Data',
    ...of,
  });

/** Makes a record of a call that reads a secret. */
export const getSecretValue = (of: object = {}) =>
  record({
    eventSource: 'secretsmanager.amazonaws.com',
    eventName: 'GetSecretValue',
    requestParameters: { secretId: '/prod/orders/db' },
    responseElements: null,
    readOnly: true,
    managementEvent: true,
    eventCategory: 'Management',
    ...of,
  });

/** Makes a record of RotateSecret. */
export const rotateSecret = (of: object = {}) =>
  record({
    eventSource: 'secretsmanager.amazonaws.com',
    eventName: 'RotateSecret',
    requestParameters: {
      secretId: '/prod/orders/db',
      clientRequestToken: '0195a000-0000-7000-8000-00000000000a',
    },
    responseElements: {
      aRN: `arn:aws:secretsmanager:eu-central-1:${account}:secret:/prod/orders/db-AbCdEf`,
      name: '/prod/orders/db',
      versionId: '0195a000-0000-7000-8000-00000000000a',
    },
    readOnly: false,
    managementEvent: true,
    eventCategory: 'Management',
    ...of,
  });

/** Packs records as a file of a trail. */
export const fileOf = (...records: readonly unknown[]): Buffer =>
  gzipSync(JSON.stringify({ Records: records }));

/** Hands bytes out in pieces. */
export async function* pieces(bytes: Uint8Array, length = 7): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}
