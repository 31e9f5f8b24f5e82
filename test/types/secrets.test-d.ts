import { Duration, RemovalPolicy, SecretValue } from 'aws-cdk-lib';
import { type Rule, Schedule } from 'aws-cdk-lib/aws-events';
import type { Grant } from 'aws-cdk-lib/aws-iam';
import type { DatabaseCluster, DatabaseSecret } from 'aws-cdk-lib/aws-rds';
import type { ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { StringParameter } from 'aws-cdk-lib/aws-ssm';
import {
  type AdminSecret,
  type AdoptedSecret,
  type CreatedSecret,
  type DatabaseSecretProps,
  type DatabaseWithSecret,
  ForeignRotationFunction,
  type ForeignRotationFunctionProps,
  RotatedSecret,
  type RotatedSecretProps,
  type SecretIdentity,
} from '../../lib/index.ts';
import { same } from './same.ts';
import {
  containment,
  existing,
  key,
  lambda,
  madeSecret,
  orders,
  queue,
  role,
  rotation,
  stack,
  target,
  vpc,
} from './surroundings.ts';

declare const parts: Pick<RotatedSecretProps, 'rotation' | 'containment' | 'owner'>;

// A secret is created, with a key of the CDK.
new RotatedSecret(stack, 'Created', {
  secret: {
    create: {
      name: '/prod/orders',
      fields: { engine: 'postgres', port: 5432, ssl: true },
      encryptionKey: key,
      removalPolicy: RemovalPolicy.RETAIN,
    },
  },
  adminSecret: existing,
  rotation,
  containment,
  owner: 'team-orders',
  consumers: ['orders-api'],
  schedule: Schedule.rate(Duration.days(7)),
  maximumAge: Duration.days(14),
  rotateOnDeploy: false,
  rotateAfter: [vpc, queue],
});

// One is adopted: any secret of the CDK, or the id of one that exists; its admin is any of them, or another of Rekey's.
new RotatedSecret(stack, 'OfTheCdk', { ...parts, secret: { adopt: existing }, adminSecret: orders });
new RotatedSecret(stack, 'ById', {
  ...parts,
  secret: { adopt: { id: 'orders' } },
  adminSecret: { id: 'admin' },
});
new RotatedSecret(stack, 'OfAnotherFunction', {
  ...parts,
  rotation: new ForeignRotationFunction(stack, 'Foreign', {
    functionArn: lambda.functionArn,
    strategy: 'single-user',
  }),
  secret: { adopt: { id: 'orders', encryptionKey: key } },
});
declare const databaseSecret: DatabaseSecret;
new RotatedSecret(stack, 'Made', { ...parts, secret: { adopt: madeSecret }, adminSecret: databaseSecret });
same<ISecret | Secret | RotatedSecret | AdoptedSecret>()({} as AdminSecret);
const admins: AdminSecret[] = [existing, madeSecret, orders, { id: 'admin' }];

// The secret of a database of the CDK.
declare const cluster: DatabaseCluster;
const database: DatabaseWithSecret = cluster;
new RotatedSecret(stack, 'LetIn', { ...parts, secret: { adopt: existing }, database: cluster });
const ofDatabase: DatabaseSecretProps = { ...parts, database };
same<RotatedSecret>()(RotatedSecret.ofDatabase(stack, 'OfDatabase', ofDatabase));
// @ts-expect-error a database has connections
new RotatedSecret(stack, 'Closed', { ...parts, secret: { adopt: existing }, database: existing });
// @ts-expect-error a database is a construct, not its name
RotatedSecret.ofDatabase(stack, 'ByItsName', { ...parts, database: 'orders' });

const created: CreatedSecret = { name: '/prod/orders', fields: {}, encryptionKey: key };
// @ts-expect-error the key of a created secret is the app's own
const keyless: CreatedSecret = { name: '/prod/orders', fields: {} };
// @ts-expect-error a key is a construct, not its ARN
const keyByArn: CreatedSecret = { ...created, encryptionKey: 'arn:aws:kms:eu-central-1:111122223333:key/1' };
// @ts-expect-error a field is a text, a number or a truth value; the credential is no field
const secretField: CreatedSecret = { ...created, fields: { password: SecretValue.unsafePlainText('a') } };
// @ts-expect-error the policy is one of the CDK
const policy: CreatedSecret = { ...created, removalPolicy: 'keep' };
// @ts-expect-error a name alone is no secret
const named: AdoptedSecret = 'orders';

// @ts-expect-error neither created nor adopted
new RotatedSecret(stack, 'Neither', { ...parts, secret: {} });
// @ts-expect-error somebody answers for a secret
new RotatedSecret(stack, 'NoOwner', {
  rotation,
  containment,
  secret: { adopt: existing },
});
// @ts-expect-error a name alone is no secret
new RotatedSecret(stack, 'ByName', { ...parts, secret: { adopt: 'orders' } });
// @ts-expect-error a schedule is one of EventBridge's, not its text
new RotatedSecret(stack, 'Text', { ...parts, secret: { adopt: existing }, schedule: 'rate(7 days)' });
// @ts-expect-error an age is a duration, not a number
new RotatedSecret(stack, 'Number', { ...parts, secret: { adopt: existing }, maximumAge: 7 });
// @ts-expect-error the function that contains is no rotation function
new RotatedSecret(stack, 'Swapped', { ...parts, secret: { adopt: existing }, rotation: containment });
// @ts-expect-error a function of the CDK is wrapped in a ForeignRotationFunction
new RotatedSecret(stack, 'Bare', { ...parts, secret: { adopt: existing }, rotation: lambda });
// @ts-expect-error there is no such setting
new RotatedSecret(stack, 'Unknown', { ...parts, secret: { adopt: existing }, rotateEvery: Duration.days(7) });
// @ts-expect-error a construct is made in a scope
new RotatedSecret('Orders', { ...parts, secret: { adopt: existing } });

same<ISecret>()(orders.secret);
same<string>()(orders.secretName);
same<SecretIdentity>()(orders.identity);
same<string>()(orders.rotationFunctionArn);
same<StringParameter>()(orders.definition);
same<boolean>()(orders.foreign);
same<boolean>()(orders.inNamespace);
same<boolean>()(orders.rotatesOnDeploy);
same<Grant>()(orders.grantRead(role));
same<Grant>()(orders.grantRotate(role));
same<Grant>()(orders.grantAbandon(role));
same<Rule>()(orders.onRotationSucceeded('Redeploy', { target }));
same<Rule>()(orders.onRotationFailed('Tell'));
same<Rule>()(orders.onRevocationEnded('Tell', { target, description: 'tells the team' }));
same<void>()(orders.rotateAfter(vpc, existing));
same<void>()(orders.rotateBehind(orders));
// @ts-expect-error a grant is for a principal, not for its ARN
orders.grantRead('arn:aws:iam::111122223333:role/orders');
// @ts-expect-error a target is one of EventBridge's
orders.onRotationSucceeded('Redeploy', { target: lambda });
// @ts-expect-error what was given is not changed afterwards
orders.secretName = 'other';

declare const foreign: ForeignRotationFunction;
same<'external'>()(foreign.type);
same<'single-user' | 'alternating-users' | 'dual-credential'>()(foreign.strategy);
const foreignProps: ForeignRotationFunctionProps = {
  functionArn: lambda.functionArn,
  strategy: 'dual-credential',
};
// @ts-expect-error there is no such strategy
const unknownStrategy: ForeignRotationFunctionProps = { ...foreignProps, strategy: 'two-users' };
// @ts-expect-error a function is named by its ARN
const byFunction: ForeignRotationFunctionProps = { ...foreignProps, functionArn: lambda };

export const compiled = [admins, keyless, keyByArn, secretField, policy, named, unknownStrategy, byFunction];
