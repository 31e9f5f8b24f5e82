import { ArnFormat, RemovalPolicy, Stack, Tags, Token } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { canTag, endsLikeSuffix, environmentTag, ownerTag } from '../../core/deployed/names.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { nameOf } from './known-name.ts';
import type { SecretIdentity } from './secret-access.ts';

/**
 * A secret to be created. Secrets Manager generates its first password, and its first rotation writes the fields into it.
 */
export interface CreatedSecret {
  /** Full name, by convention `/<environment>/…`, such as `/prod/orders/db`. The command line takes the same name. */
  readonly name: string;
  /**
   * The JSON without the credential and `masterarn`. They stand in the definition; a change is written into the secret by its
   * next rotation.
   *
   * The types `postgresql`, `mysql` and `redis` read `engine` (`postgres`, `aurora-postgresql`; `mysql`, `aurora-mysql`, `mariadb`;
   * `redis`, `valkey`), `host`, `username`, and if they are there `port`, `ssl` (`true` and without it: TLS; `false`: plaintext) and,
   * of databases, `dbname`. Other keys are kept as they are, for whoever reads the secret. `docs/secret-types` has the keys of all
   * types.
   */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  /**
   * Key of the secret, one for all secrets of a stack: `new Key(this, 'SecretsKey', { enableKeyRotation: true })`. The AWS managed
   * key could not be shared with other accounts.
   */
  readonly encryptionKey: IKey;
  /** Policy for the secret when its construct is removed. @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy;
}

/** A secret that exists. Its value, its policy and its tags stay as they are. */
export interface AdoptedSecret {
  /** Name, or full ARN with the six-character suffix. A name that ends in a hyphen and six characters needs the ARN. */
  readonly id: string;
  /** ARN of the key that encrypts the secret. @default - the AWS managed key */
  readonly encryptionKey?: IKey;
}

/** A secret as its rotation needs it, created or adopted. */
export interface Entry {
  readonly secret: ISecret;
  readonly name: string;
  /** ARN by which the secret can be read. */
  readonly arn: string;
  /**
   * ARN by which its schedule knows it. It is the same for one that is created, adopted by name, and adopted by full ARN.
   * CloudFormation takes another spelling for another secret, and deleting the former schedule would end the rotation that the
   * latter has just begun.
   */
  readonly scheduled: string;
  readonly identity: SecretIdentity;
}

/**
 * Settings of the first value of every created secret, whatever the configuration says. CloudFormation generates a new value,
 * and makes it current, whenever any of this changes. Nothing here may ever be changed.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-secretsmanager-secret.html
 */
const firstValue = {
  secretStringTemplate: '{}',
  generateStringKey: 'password',
  passwordLength: 32,
  excludeCharacters: '/@"\'\\',
};

/**
 * Creates a secret.
 * @throws RekeyError `ConstructInvalid` when its name is known at the deploy alone
 */
export function createSecret(
  scope: Construct,
  create: CreatedSecret,
  { environment, owner }: { readonly environment: string; readonly owner: string | undefined },
): Entry {
  if (Token.isUnresolved(create.name)) {
    throw new RekeyError(
      'ConstructInvalid',
      `${scope.node.id}: create.name must be known at synth, since permissions and other names are made of it; give it as text`,
    );
  }
  const secret = new Secret(scope, 'Secret', {
    secretName: create.name,
    encryptionKey: create.encryptionKey,
    removalPolicy: create.removalPolicy ?? RemovalPolicy.RETAIN,
    generateSecretString: firstValue,
  });
  Tags.of(secret).add(environmentTag, environment);
  if (owner !== undefined) Tags.of(secret).add(ownerTag, ownerAsTag(scope, owner));
  // A principal that is tagged for one environment never reaches a secret of another, whatever its own policy says.
  secret.addToResourcePolicy(
    new PolicyStatement({
      sid: 'OtherEnvironmentsKeepOut',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ['secretsmanager:*'],
      resources: ['*'],
      conditions: {
        StringNotEquals: { [`aws:PrincipalTag/${environmentTag}`]: environment },
        Null: { [`aws:PrincipalTag/${environmentTag}`]: 'false' },
      },
    }),
  );
  return {
    // For exactOptionalPropertyTypes, which the CDK's own declarations do not keep to.
    secret: secret as ISecret,
    name: create.name,
    arn: secret.secretArn,
    scheduled: endsLikeSuffix(create.name) ? secret.secretArn : partialArn(scope, create.name),
    identity: { arnPattern: secret.secretArn, name: create.name, encryptionKey: create.encryptionKey },
  };
}

/** Gives an owner as the value of a tag. @throws RekeyError `ConstructInvalid` when it cannot be one */
function ownerAsTag(scope: Construct, owner: string): string {
  if (canTag(owner)) return owner;
  throw new RekeyError(
    'ConstructInvalid',
    `${scope.node.id}: owner ${JSON.stringify(owner)}: with tagOwner it must be 1 to 128 letters, digits and _ . : / = + @ -`,
  );
}

/**
 * Takes over a secret that exists, or that another construct of the app makes.
 *
 * @throws RekeyError `ConstructInvalid` when it is known by a name alone that looks like the end of an ARN
 */
export function adoptSecret(scope: Construct, id: string, adopt: AdoptedSecret | ISecret | Secret): Entry {
  if (Construct.isConstruct(adopt)) return entryOf(adopt as ISecret);
  const { id: known, encryptionKey } = adopt as AdoptedSecret;
  const named = known.startsWith('arn:')
    ? { secretCompleteArn: known }
    : { secretPartialArn: partialArn(scope, known) };
  const key = encryptionKey === undefined ? {} : { encryptionKey };
  const secret = Secret.fromSecretAttributes(scope, id, { ...named, ...key });
  return known.startsWith('arn:') ? entryOf(secret) : entryOf(secret, known);
}

/** Describes an imported secret by its import, and one of this app by its ARN at the deploy. */
function entryOf(secret: ISecret, given?: string): Entry {
  const { encryptionKey, secretArn: arn, secretFullArn } = secret;
  if (secretFullArn !== undefined) {
    const name = nameOf(secret);
    const asNamed = !Token.isUnresolved(secretFullArn) && !endsLikeSuffix(name);
    return {
      secret,
      name,
      arn: secretFullArn,
      scheduled: asNamed ? secretFullArn.replace(/-[A-Za-z0-9]{6}$/, '') : secretFullArn,
      identity: {
        arnPattern: secretFullArn,
        ...(!Token.isUnresolved(name) && { name }),
        encryptionKey,
      },
    };
  }
  // The CDK takes such an end of a partial ARN for the suffix, and leaves it out of the name.
  const name = given ?? (Token.isUnresolved(arn) ? secret.secretName : arn.replace(/^.*:secret:/, ''));
  if (endsLikeSuffix(name)) {
    throw new RekeyError(
      'ConstructInvalid',
      `secret ${name}: its name ends in a hyphen and six characters, as an ARN does, so Secrets Manager would not find it by the ARN that Rekey makes of a name; adopt it by its full ARN (aws secretsmanager describe-secret --secret-id ${name} --query ARN)`,
    );
  }
  return {
    secret,
    name,
    arn,
    scheduled: arn,
    identity: {
      arnPattern: anySuffix(arn),
      ...(!Token.isUnresolved(name) && { name }),
      encryptionKey,
    },
  };
}

/** Writes what policies call an existing secret: its ARN, or its name with whatever suffix. */
export const adoptedArnPattern = (scope: Construct, id: string): string =>
  id.startsWith('arn:') ? id : anySuffix(partialArn(scope, id));

const anySuffix = (partial: string): string => `${partial}-??????`;

const partialArn = (scope: Construct, name: string): string =>
  Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: name,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
