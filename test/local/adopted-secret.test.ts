/** A secret that the app itself makes, adopted: found by its real name, whoever named it. */

import { rm } from 'node:fs/promises';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CfnOutput } from 'aws-cdk-lib';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { SsmDefinitionStore } from '../../adapters/definition-store.ts';
import { ContainmentFunction, RekeyBus, RotatedSecret, RotationFunction } from '../../lib/index.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { deployStack } from './support/stack.ts';
import { synthesize } from './support/synthesized.ts';

let directory: string;
let cloud: LocalCloud;
beforeAll(async () => {
  directory = await newFolder('adopted');
  cloud = await startCloud({ directory });
});
afterAll(async () => {
  await cloud?.stop();
  await rm(directory, { recursive: true, force: true });
});

test.each<[string, string | undefined]>([
  ['CloudFormation', undefined],
  ['the app', 'team/orders_1+x=y@z.com-abcdef'],
])(
  'a revocation finds a secret that %s named',
  async (by, secretName) => {
    let logicalId = '';
    const resources = synthesize(
      cloud,
      (stack) => {
        const bus = new RekeyBus(stack, 'Bus', { environment: by === 'the app' ? 'named' : 'generated' });
        const auditQueue = new Queue(stack, 'AuditQueue', { fifo: true });
        const target = { type: 'postgresql', strategy: 'single-user', bus, auditQueue } as const;
        const secret = new Secret(stack, 'Own', secretName === undefined ? {} : { secretName });
        logicalId = stack.getLogicalId(secret.node.defaultChild as never);
        new RotatedSecret(stack, 'Orders', {
          secret: { adopt: secret as ISecret },
          rotation: new RotationFunction(stack, 'Rotation', target),
          containment: new ContainmentFunction(stack, 'Containment', target),
          owner: 'team-orders',
        });
        new CfnOutput(stack, 'Secret', { value: secret.secretArn });
      },
      () => 'exports.handler = async () => ({});',
    );
    const { outputs } = await deployStack(cloud, by.replace(' ', '-'), resources);
    const { Name, ARN } = await new SecretsManagerClient(cloud.clientOptions()).send(
      new DescribeSecretCommand({ SecretId: outputs[`${logicalId}Ref`] }),
    );
    if (secretName !== undefined) expect(Name).toBe(secretName);
    const environment = by === 'the app' ? 'named' : 'generated';
    const definitions = new SsmDefinitionStore(new SSMClient(cloud.clientOptions()), environment);
    expect(await definitions.find(Name ?? '')).toMatchObject({ name: Name, arn: ARN, owner: 'team-orders' });
    expect(await definitions.find(ARN ?? '')).toMatchObject({ name: Name });
  },
  120_000,
);
