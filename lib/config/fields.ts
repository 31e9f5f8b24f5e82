import type * as z from 'zod';
import { cacheUserSchema } from '../../rotators/elasticache/schema.ts';
import { genericSecretSchema } from '../../rotators/generic/schema.ts';
import { iamAccessKeySchema } from '../../rotators/iam-access-key/schema.ts';
import { mysqlSecretSchema } from '../../rotators/mysql/schema.ts';
import { postgresSecretSchema } from '../../rotators/postgresql/schema.ts';
import { masterSecretSchema } from '../../rotators/rds-admin/schema.ts';
import { redisSecretSchema } from '../../rotators/redis/schema.ts';
import { redshiftSecretSchema } from '../../rotators/redshift/schema.ts';
import type { SecretType } from '../../rotators/registry.ts';
import type { CreatedType } from './content-changes.ts';
import type { Problem } from './rules.ts';
import type { SecretConfiguration } from './schema.ts';

/** What the functions of each type read a secret's JSON with. */
const schemas: Readonly<Record<CreatedType, z.ZodType>> = {
  postgresql: postgresSecretSchema,
  mysql: mysqlSecretSchema,
  redshift: redshiftSecretSchema,
  redis: redisSecretSchema,
  elasticache: cacheUserSchema,
  'rds-admin': masterSecretSchema,
  'iam-access-key': iamAccessKeySchema,
  generic: genericSecretSchema,
};

const isCreated = (type: SecretType): type is CreatedType => Object.hasOwn(schemas, type);

/**
 * Finds what the first rotation of a created secret would refuse in its JSON. What is missing may still be put there by
 * hand, where that rotation does not come with the deploy.
 */
export function checkFields({ type, create, rotateOnDeploy }: SecretConfiguration): Problem[] {
  if (create === undefined || !isCreated(type)) return [];
  // Secrets Manager generates the password.
  const json = { password: 'x', ...create.fields };
  return (schemas[type].safeParse(json).error?.issues ?? []).flatMap(({ path: [key, ...rest], message }) => {
    const path = ['create', 'fields', ...[key, ...rest].flatMap((part) => part ?? []).map(String)];
    if (key === undefined || Object.hasOwn(json, key)) return [{ path, message }];
    if (rotateOnDeploy === false) return [];
    const what = message.includes('received undefined') ? '' : `: ${message}`;
    return [{ path, message: `is missing, and the first rotation, right at the deploy, needs it${what}` }];
  });
}
