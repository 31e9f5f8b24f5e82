import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { AnyPrincipal, Effect, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { definitionsPath } from '../../core/deployed/names.ts';
import { PolicyPages } from '../access/policy-pages.ts';
import { grantAppend } from '../audit/grant-append.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { grantFindDefinitions } from '../secret/definition-access.ts';
import { grantOnSecrets } from '../secret/grant-on-secrets.ts';
import type { RotatedSecret } from '../secret/rotated-secret.ts';
import { SecretAccess } from '../secret/secret-access.ts';

/** Resources of the index that both functions use. */
interface Index {
  /** Key that signs. */
  readonly key: IKey;
  readonly table: Table;
  /** Key that encrypts the tables. */
  readonly encryptionKey?: IKey;
}

const allow = (role: Role, sid: string, actions: readonly string[], resources: readonly string[]): void =>
  void role.addToPolicy(new PolicyStatement({ sid, actions: [...actions], resources: [...resources] }));

const readValues = [
  'secretsmanager:DescribeSecret',
  'secretsmanager:GetSecretValue',
  'secretsmanager:ListSecretVersionIds',
];

/**
 * Keeps everybody else from signing, whatever their own policies say: whoever signs and reads the table guesses without a limit.
 * The administrators of the account can take that away again, and CloudTrail shows it.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-how-to.html
 */
export function keepKey(key: Key, roles: readonly Role[]): void {
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'NobodyElseSigns',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ['kms:GenerateMac', 'kms:VerifyMac'],
      resources: ['*'],
      conditions: { ArnNotEquals: { 'aws:PrincipalArn': roles.map(({ roleArn }) => roleArn) } },
    }),
  );
}

/** Lets the function that fills the index read the environment's secrets, sign hashes, and write the index. */
export function permitIndex(
  role: Role,
  index: Index & { readonly environment: string; readonly secrets: readonly RotatedSecret[] },
): void {
  const { environment, secrets, key, table } = index;
  const pages = new PolicyPages(role);
  const [created, adopted] = [
    secrets.filter(({ inNamespace }) => inNamespace),
    secrets.filter(({ inNamespace }) => !inNamespace),
  ];
  grantOnSecrets(role, pages, {
    environment,
    secrets: created,
    grants: [{ sid: 'ReadSecrets', actions: readValues }],
  });
  permitKeysOfCreated(role, environment, created);
  const access = new SecretAccess(role, {
    sid: 'ReadAdopted',
    actions: readValues,
    keyActions: ['kms:Decrypt'],
    pages,
  });
  for (const { identity } of adopted) access.add(identity);
  grantFindDefinitions(role, environment);
  const definitions = Stack.of(role).formatArn({
    service: 'ssm',
    resource: 'parameter',
    resourceName: definitionsPath(environment).slice(1),
  });
  allow(role, 'ListDefinitions', ['ssm:GetParametersByPath'], [definitions]);
  allow(role, 'SignHashes', ['kms:GenerateMac'], [key.keyArn]);
  allow(
    role,
    'WriteIndex',
    ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
    [table.tableArn],
  );
  permitTableKey(role, [table], index.encryptionKey);
}

/** Lets the function that looks up sign hashes, read the index by point, count, and record. It reads no secret. */
export function permitLookup(
  role: Role,
  index: Index & { readonly counts: Table; readonly bus: IRekeyBus; readonly auditQueue: IQueue },
): void {
  const { key, table, counts, bus, auditQueue } = index;
  allow(role, 'SignHashes', ['kms:GenerateMac'], [key.keyArn]);
  allow(role, 'ReadIndex', ['dynamodb:GetItem', 'dynamodb:Query'], [table.tableArn]);
  allow(role, 'CountLookups', ['dynamodb:UpdateItem'], [counts.tableArn]);
  permitTableKey(role, [table, counts], index.encryptionKey);
  bus.grantPublish(role, 'rekey.fingerprint', ['Fingerprint Looked Up']);
  grantAppend(role, auditQueue);
}

/** Permits the keys of created secrets, through Secrets Manager and for secrets of the environment alone. */
function permitKeysOfCreated(role: Role, environment: string, created: readonly RotatedSecret[]): void {
  const keys = new Map(
    created.flatMap(({ identity: { encryptionKey } }) =>
      encryptionKey === undefined ? [] : [[encryptionKey.keyArn, encryptionKey] as const],
    ),
  );
  if (keys.size === 0) return;
  const { region } = Stack.of(role);
  const secrets = Stack.of(role).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `/${environment}/*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  role.addToPolicy(
    new PolicyStatement({
      sid: 'ReadSecretsKeys',
      actions: ['kms:Decrypt'],
      resources: [...keys.keys()],
      conditions: {
        StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` },
        StringLike: { 'kms:EncryptionContext:SecretARN': secrets },
      },
    }),
  );
}

/**
 * Permits the key of tables through DynamoDB, and for these tables alone. DynamoDB uses it under the rights of whoever calls.
 * The actions are those of `Table.grantReadWriteData` in the CDK, each by its name.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
 */
function permitTableKey(role: Role, tables: readonly Table[], key: IKey | undefined): void {
  if (key === undefined) return;
  role.addToPolicy(
    new PolicyStatement({
      sid: 'TableKey',
      actions: [
        'kms:Decrypt',
        'kms:DescribeKey',
        'kms:Encrypt',
        'kms:GenerateDataKey',
        'kms:GenerateDataKeyWithoutPlaintext',
        'kms:ReEncryptFrom',
        'kms:ReEncryptTo',
      ],
      resources: [key.keyArn],
      conditions: {
        StringEquals: { 'kms:ViaService': `dynamodb.${Stack.of(role).region}.amazonaws.com` },
        // A description of the key has no context.
        StringEqualsIfExists: {
          'kms:EncryptionContext:aws:dynamodb:tableName': tables.map(({ tableName }) => tableName),
        },
      },
    }),
  );
}
