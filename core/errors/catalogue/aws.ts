import type { Entries } from './entry.ts';

/** Errors of calls to AWS, other than those about a secret itself. */
export const aws: Entries<'aws'> = {
  AccessDenied: {
    meaning:
      'AWS denies the action, which the message names; where AWS tells, it names the kind of policy that denies.',
    mender: 'administrator of AWS',
    remedy:
      'Let all of them allow it: the policy of the role, that of the resource, of its KMS key, of the VPC endpoint, and those of the organization. Of a function, deploy again; a caller assumes the role of operator, responder or auditor.',
  },
  CredentialsMissing: {
    meaning: 'No AWS credentials were found.',
    mender: 'caller',
    remedy: 'Set `--profile` or `AWS_PROFILE`, or sign in (`aws sso login`). Of a function: deploy again.',
  },
  CredentialsExpired: {
    meaning: 'The AWS credentials, or the session token, have expired.',
    mender: 'caller',
    remedy: 'Sign in again, for example with `aws sso login`.',
  },
  CredentialsInvalid: {
    meaning: 'AWS does not accept the credentials or the signature.',
    mender: 'caller',
    remedy: 'Check the profile, the keys and the session token.',
  },
  RegionMissing: {
    meaning: 'No AWS region is set.',
    mender: 'caller',
    remedy: 'Give `--region` or set `AWS_REGION`.',
  },
  ClockWrong: {
    meaning: 'The time of the request is too far from that of AWS, so its signature does not count.',
    mender: 'caller',
    remedy: 'Set the clock of the machine right, by NTP.',
  },
  EndpointUntrusted: {
    meaning:
      'The certificate of the endpoint is not trusted: something stands between, or an authority is missing.',
    mender: 'administrator of AWS',
    remedy: 'Find out who is in between; an authority of your own goes into `NODE_EXTRA_CA_CERTS`.',
  },
  Unreachable: {
    meaning:
      'An API of AWS gave no answer: its name is not resolved, the connection is refused, or nothing came back in time.',
    mender: 'administrator of AWS',
    remedy:
      'A function in a VPC needs an endpoint for that service with private DNS, or a NAT gateway, and a security group that lets HTTPS out; a created network has them. A caller checks the network, `--region` and `AWS_ENDPOINT_URL`. It is tried again.',
  },
  Throttled: {
    meaning: 'AWS is throttling the action, or the KMS key behind it.',
    mender: 'nobody, it passes',
    remedy: 'If it stays, spread the schedules or have the quota raised.',
  },
  ServiceUnavailable: {
    meaning: 'A service of AWS failed itself (HTTP 5xx, `InternalServiceError`, `InternalFailure`).',
    mender: 'nobody, it passes',
    remedy: 'If it stays, see the AWS Health Dashboard.',
  },
  ResourceBusy: {
    meaning: 'What the call is about is being changed, or not ready yet.',
    mender: 'nobody, it passes',
    remedy: 'If it stays, look at its state in the console.',
  },
  ResourceMissing: {
    meaning: 'What the call is about does not exist in this account and region.',
    mender: 'operator',
    remedy:
      'Deploy the environment again; for what Rekey does not make, correct its name where it is written.',
  },
  QuotaReached: {
    meaning: 'A quota of AWS is reached; its name stands in the message.',
    mender: 'administrator of AWS',
    remedy: 'Make room, or have the quota raised (Service Quotas).',
  },
  KeyUnusable: {
    meaning:
      'The KMS key behind a resource cannot be used: disabled, to be deleted, without material, or of another kind.',
    mender: 'administrator of AWS',
    remedy: 'Enable the key, cancel its deletion, or import its material again.',
  },
  CallInvalid: {
    meaning: 'AWS takes a value of the call for invalid.',
    mender: 'maintainers of Rekey',
    remedy:
      'Correct the value if the message names one of yours, such as an identifier in a secret; else report it.',
  },
  CallRefused: {
    meaning: 'AWS refused the call for a reason of its own, whose name the message holds.',
    mender: 'administrator of AWS',
    remedy: 'Look the name up in the API reference of the action.',
  },
};
