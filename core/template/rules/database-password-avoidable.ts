import { named, type TemplateRule } from '../rule.ts';
import { attachmentsOf, nameOfSecret, secretOf } from '../secrets.ts';
import type { Resource } from '../template.ts';
import { ingredientsOf, isAbsent, literalSwitch, literalText, StoredSecret } from '../value.ts';
import type { World } from '../world.ts';

/** Engines that let users log in with a token of IAM. @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.RDS_Fea_Regions_DB-eng.Feature.IamDatabaseAuthentication.html */
const engines = new Set(['postgres', 'mysql', 'mariadb', 'aurora-postgresql', 'aurora-mysql']);

/** Warns of databases whose users need a password because login with IAM is off. */
export const databasePasswordAvoidable: TemplateRule<'DatabasePasswordAvoidable'> = {
  description: {
    id: 'DatabasePasswordAvoidable',
    severity: 'warning',
    demand: 'A database that knows login with IAM lets its users log in by it.',
    reason: 'A password that does not exist cannot leak; a token of IAM ends after 15 minutes.',
    controls: ['NIST 800-53 r5 IA-5', 'OWASP NHI 2025 NHI4', 'OWASP NHI 2025 NHI7'],
  },
  *check(world) {
    const attached = attachmentsOf(world);
    for (const database of world.ofType('AWS::RDS::DBInstance', 'AWS::RDS::DBCluster')) {
      const { Engine, EnableIAMDatabaseAuthentication, DBClusterIdentifier } = database.properties;
      const inCluster = !isAbsent(DBClusterIdentifier) && database.type === 'AWS::RDS::DBInstance';
      const off =
        isAbsent(EnableIAMDatabaseAuthentication) || literalSwitch(EnableIAMDatabaseAuthentication) === false;
      if (!engines.has(literalText(Engine) ?? '') || !off || inCluster) continue;
      const secret =
        attached.find((one) => one.database === database)?.secret ?? secretOfPassword(world, database);
      if (secret === undefined) continue;
      yield {
        on: database,
        message: `the users of this database log in with a password, such as that in secret ${nameOfSecret(secret)}`,
        fix: `set ${named(database, 'EnableIAMDatabaseAuthentication')} to true, and let consumers log in by rds-db:connect; the secret stays for the admin alone`,
      };
    }
  },
};

/** Finds the secret that the admin's password comes from. */
const secretOfPassword = (world: World, { properties }: Resource): Resource | undefined =>
  ingredientsOf(properties.MasterUserPassword)
    .filter((part) => part instanceof StoredSecret)
    .flatMap(({ reference }) => ingredientsOf(reference))
    .map((part) => secretOf(world, part))
    .find((one) => one !== undefined);
