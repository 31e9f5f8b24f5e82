import { byHand as elasticache } from './elasticache/by-hand.ts';
import { byHand as external } from './external/by-hand.ts';
import type { ByHand } from './families/by-hand.ts';
import { byHand as generic } from './generic/by-hand.ts';
import { byHand as http } from './http/by-hand.ts';
import { byHand as iamAccessKey } from './iam-access-key/by-hand.ts';
import { byHand as mysql } from './mysql/by-hand.ts';
import { byHand as postgresql } from './postgresql/by-hand.ts';
import { byHand as rdsAdmin } from './rds-admin/by-hand.ts';
import { byHand as redis } from './redis/by-hand.ts';
import { byHand as redshift } from './redshift/by-hand.ts';
import type { SecretType } from './registry.ts';

export type { HandStep, HandTarget } from './families/by-hand.ts';

/** The steps by hand of every secret type. A type without them does not compile. */
export const stepsByHand: Readonly<Record<SecretType, ByHand>> = {
  elasticache,
  external,
  generic,
  http,
  'iam-access-key': iamAccessKey,
  mysql,
  postgresql,
  'rds-admin': rdsAdmin,
  redis,
  redshift,
};
