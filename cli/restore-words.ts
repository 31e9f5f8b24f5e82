import type { SecretType } from '../rotators/registry.ts';

/** Traces that a containment leaves at the target, and what ends them, by type. A new type must be decided about here. */
export const containmentTraces: Readonly<Record<SecretType, string>> = {
  postgresql: 'The role lost its LOGIN. Each rotation gives it back, with a new password.',
  redshift: 'The user lost its password. Each rotation sets a new one.',
  mysql: 'The accounts of the user were locked. Each rotation unlocks them, with a new password.',
  redis:
    'The leaked password was taken away, and a user with no other was turned off. Each rotation sets a new one and turns it on.',
  elasticache:
    'The leaked password was taken away, and a user with no other got one that nobody keeps. Each rotation sets a new one.',
  'rds-admin': 'The master password was replaced by one that nobody keeps. Each rotation sets a new one.',
  'iam-access-key':
    'The access key stays inactive, and sessions that began before stay denied by the policy RekeyRevokedSessions. Each rotation issues another key.',
  http: 'The service revoked what leaked, which no service takes back. Each rotation issues another one.',
  generic: 'Nothing was cut off: Rekey can reach nothing that accepts the value.',
  external: 'Nothing was cut off: the secret’s own rotation function alone knows its target.',
};
