import { RemovalPolicy, SecretValue, Validations } from 'aws-cdk-lib';
import { AccessKey, Effect, Policy, PolicyStatement, User } from 'aws-cdk-lib/aws-iam';
import { Secret, type SecretStringGenerator } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { HoneyShape } from '../config/signals-schema.ts';

/** Props of {@link HoneySecret}. */
export interface HoneySecretProps {
  /** Full name, such as `/prod/payments/root`; choose one that looks worth reading. */
  readonly name: string;
  /** Form of its value. `access-key`: one of a user that may do nothing. @default 'database' */
  readonly shape?: HoneyShape;
  /** Team or person that is told when it is used. */
  readonly owner: string;
}

/** Values that look like those of a workload. Each ends in a password that Secrets Manager makes. */
const templates: Readonly<Record<Exclude<HoneyShape, 'access-key'>, SecretStringGenerator>> = {
  database: {
    secretStringTemplate: JSON.stringify({
      engine: 'postgres',
      host: 'db-primary.internal',
      port: 5432,
      dbname: 'main',
      username: 'admin',
    }),
    generateStringKey: 'password',
  },
  login: { secretStringTemplate: JSON.stringify({ username: 'admin' }), generateStringKey: 'password' },
  token: {},
};

/**
 * A secret that nobody may use. Its value opens nothing, so whoever reads it, or signs with its key, is where nobody should be.
 * The construct `Signals` watches it.
 */
export class HoneySecret extends Construct {
  readonly secret: Secret;
  /** Id of the access key that lies in it. @default - it holds none */
  readonly accessKeyId: string | undefined;

  constructor(scope: Construct, id: string, { name, shape = 'database' }: HoneySecretProps) {
    super(scope, id);
    const key = shape === 'access-key' ? this.createKey() : undefined;
    this.accessKeyId = key?.accessKeyId;
    this.secret = new Secret(this, 'Secret', {
      secretName: name,
      // No word of what it is: who may list secrets reads descriptions.
      removalPolicy: RemovalPolicy.DESTROY,
      ...(key === undefined && shape !== 'access-key'
        ? { generateSecretString: { passwordLength: 32, excludeCharacters: '/@"\'\\', ...templates[shape] } }
        : {
            secretObjectValue: {
              accessKeyId: SecretValue.unsafePlainText(key?.accessKeyId ?? ''),
              secretAccessKey: key?.secretAccessKey ?? SecretValue.unsafePlainText(''),
            },
          }),
    });
    Validations.of(this.secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Its value opens nothing, so there is nothing to rotate; that somebody reads it is what it is for.',
    });
  }

  /** Makes an access key of a user that may do nothing. CloudFormation hands it to the secret; no template holds it. */
  private createKey(): AccessKey {
    const user = new User(this, 'User');
    new Policy(this, 'DenyAll', {
      users: [user],
      statements: [
        new PolicyStatement({ sid: 'Nothing', effect: Effect.DENY, actions: ['*'], resources: ['*'] }),
      ],
    });
    return new AccessKey(this, 'Key', { user });
  }
}
