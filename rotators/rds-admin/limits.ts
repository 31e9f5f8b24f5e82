import type { ConfiguredTarget } from '../descriptor.ts';
import { eachKind, type PasswordRules } from '../families/aws-api/passwords.ts';
import { type Family, familyOfSecret, type MasterSecret } from './schema.ts';

const longestOfInstance: Readonly<Record<Family, number>> = {
  mysql: 41,
  mariadb: 41,
  postgresql: 128,
  oracle: 30,
  sqlserver: 128,
  db2: 255,
  documentdb: 100,
  redshift: 64,
};
const longestOfCluster = 41;

/**
 * Gives the rules for the master password of a secret's database. Aurora and Multi-AZ clusters take less than instances do. Where
 * the secret leaves open which of both its database is, the rules are what both take.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html
 * @see https://docs.aws.amazon.com/documentdb/latest/developerguide/API_ModifyDBCluster.html
 * @see https://docs.aws.amazon.com/redshift/latest/APIReference/API_ModifyCluster.html
 */
export function rulesOf(secret: MasterSecret): PasswordRules {
  const family = familyOfSecret(secret);
  if (family === 'redshift') {
    return { of: 'Redshift', longest: longestOfInstance.redshift, forbidden: `/"@ '\\`, needs: eachKind };
  }
  if (family === 'documentdb') {
    return { of: 'DocumentDB', longest: longestOfInstance.documentdb, forbidden: '/"@ ', needs: [] };
  }
  const { engine, dbInstanceIdentifier, dbClusterIdentifier } = secret;
  const surelyInstance =
    Boolean(dbInstanceIdentifier) && !dbClusterIdentifier && !engine.startsWith('aurora');
  const clustered = !surelyInstance && (family === 'postgresql' || family === 'mysql');
  return {
    of: clustered ? 'an RDS cluster' : `RDS for ${family}`,
    longest: clustered ? longestOfCluster : longestOfInstance[family],
    forbidden: family === 'oracle' ? `/"@ &'` : '/"@ ',
    needs: [],
  };
}

/** Gives the rules for a target of which the configuration alone is known. Undefined where that leaves the product open. */
export function rulesOfTarget({ fields, resources = [] }: ConfiguredTarget): PasswordRules | undefined {
  if (typeof fields?.engine === 'string') return rulesOf(fields as MasterSecret);
  const isRedshift = resources.length > 0 && resources.every((arn) => arn.split(':')[2] === 'redshift');
  return isRedshift ? rulesOf({ engine: 'redshift' } as MasterSecret) : undefined;
}
