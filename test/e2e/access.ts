import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  type RotateSecretRequest,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { describe, expect, test } from '@jest/globals';
import { definitionParameter } from '../../core/deployed/names.ts';
import { secretDefinitionSchema } from '../../core/secret/definition.ts';
import { environmentName, type RoleName } from '../../local/tour/deployment.ts';
import type { World } from './world.ts';

/** Each role can do its own work, and IAM refuses it the others'. */
export function access(world: () => World): void {
  const definition = async (name: string) => {
    const { cloud, credentials } = world();
    const ssm = new SSMClient(cloud.clientOptions(credentials.operator));
    const { Parameter } = await ssm.send(
      new GetParameterCommand({ Name: definitionParameter(environmentName, `/${environmentName}/${name}`) }),
    );
    return secretDefinitionSchema.parse(JSON.parse(Parameter?.Value ?? 'null'));
  };

  describe('least privilege', () => {
    test('a rotation function that is pointed at a foreign secret is denied by IAM', async () => {
      const { cloud, credentials } = world();
      const secrets = new SecretsManagerClient(cloud.clientOptions(credentials.administrator));
      const foreign = await secrets.send(
        new CreateSecretCommand({
          Name: '/finance/payroll',
          SecretString: '{"username":"payroll","password":"not yours"}',
        }),
      );
      const { rotationFunction } = await definition('orders');
      const lambda = new LambdaClient(cloud.clientOptions(credentials.administrator));
      for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) {
        const event = { Step, SecretId: foreign.ARN, ClientRequestToken: foreign.VersionId };
        const answer = await lambda.send(
          new InvokeCommand({ FunctionName: rotationFunction, Payload: JSON.stringify(event) }),
        );
        const error = JSON.parse(answer.Payload?.transformToString() ?? '{}');
        expect(answer.FunctionError).toBe('Unhandled');
        expect(error).toMatchObject({ errorType: 'SecretAccessDenied' });
      }
    });

    test('a foreign secret that is named like the environment’s is out of an operator’s reach', async () => {
      const { cloud, credentials } = world();
      const client = (role: 'administrator' | 'operator') =>
        new SecretsManagerClient(cloud.clientOptions(credentials[role]));
      const SecretId = `/${environmentName}/payroll`;
      await client('administrator').send(new CreateSecretCommand({ Name: SecretId, SecretString: '{}' }));
      const operator = client('operator');
      await expect(operator.send(new DescribeSecretCommand({ SecretId }))).rejects.toThrow(/not authorized/);
      await expect(operator.send(new RotateSecretCommand({ SecretId }))).rejects.toThrow(/not authorized/);
      // Its own answer to the same, for a secret that carries the tag.
      await operator.send(new DescribeSecretCommand({ SecretId: `/${environmentName}/orders` }));
    });

    const readValue = async (role: RoleName) => {
      const { cloud, credentials } = world();
      const secrets = new SecretsManagerClient(cloud.clientOptions(credentials[role]));
      await secrets.send(new GetSecretValueCommand({ SecretId: `/${environmentName}/orders` }));
    };
    const rotate = async (role: RoleName) => {
      const { cloud, credentials } = world();
      const secrets = new SecretsManagerClient(cloud.clientOptions(credentials[role]));
      await secrets.send(new RotateSecretCommand({ SecretId: `/${environmentName}/orders` }));
    };
    const reconfigure = (change: Omit<RotateSecretRequest, 'SecretId'>) => async (role: RoleName) => {
      const { cloud, credentials } = world();
      const secrets = new SecretsManagerClient(cloud.clientOptions(credentials[role]));
      const { RotationLambdaARN: current } = await new SecretsManagerClient(
        cloud.clientOptions(credentials.administrator),
      ).send(new DescribeSecretCommand({ SecretId: `/${environmentName}/orders` }));
      const asked = 'RotationLambdaARN' in change ? { RotationLambdaARN: current } : change;
      await secrets.send(new RotateSecretCommand({ SecretId: `/${environmentName}/orders`, ...asked }));
    };
    const askForRevocation = (role: RoleName) =>
      world().put(role, {
        source: 'rekey.cli',
        detailType: 'Secret Revocation Requested',
        detail: world().request({ select: { secret: '/dev/nobody' } }),
      });
    const readLog = async (role: RoleName) => {
      const { cloud, credentials } = world();
      const s3 = new S3Client({ ...cloud.clientOptions(credentials[role]), forcePathStyle: true });
      const Bucket = await world().parameter('auditBucket');
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 1 }));
      await s3.send(new GetObjectCommand({ Bucket, Key: Contents[0]?.Key ?? '' }));
    };
    test.each([
      ['operator', 'read a value', readValue],
      ['responder', 'read a value', readValue],
      ['auditor', 'read a value', readValue],
      ['responder', 'rotate', rotate],
      ['auditor', 'rotate', rotate],
      // Not even to what it is already.
      ['operator', 'change the schedule', reconfigure({ RotationRules: { AutomaticallyAfterDays: 999 } })],
      ['operator', 'change the function', reconfigure({ RotationLambdaARN: 'of the secret' })],
      ['operator', 'ask for a revocation', askForRevocation],
      ['auditor', 'ask for a revocation', askForRevocation],
      ['operator', 'read the audit log', readLog],
      ['responder', 'read the audit log', readLog],
    ] as const)('a %s cannot %s', async (role, _what, act) => {
      await expect(act(role)).rejects.toThrow(/denied|not authorized|refused/i);
    });

    test('a responder cannot pass off an event as somebody else', async () => {
      const detail = world().request({ select: { secret: '/dev/orders' } });
      await expect(
        world().put('responder', {
          source: 'rekey.rotation',
          detailType: 'Secret Rotation Succeeded',
          detail,
        }),
      ).rejects.toThrow(/denied|not authorized|refused/i);
    });
  });
}
