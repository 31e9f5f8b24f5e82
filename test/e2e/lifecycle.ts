import { InvokeCommand, LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { describe, expect, test } from '@jest/globals';
import { definitionParameter } from '../../core/deployed/names.ts';
import { lifecycleTags } from '../../core/lifecycle/marks.ts';
import { logsIn } from '../../local/servers/database.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { manualSecret, type World } from './world.ts';

/** The life of secrets: recorded, reminded of, and ended. */
export function lifecycle(world: () => World): void {
  describe('the life of secrets', () => {
    const secret = '/dev/payments';
    const options = () => world().cloud.clientOptions();
    const secrets = () => new SecretsManagerClient(options());

    /** Runs the function, as its daily schedule does, and gives what it returned or failed with. */
    async function lookAfter(): Promise<Record<string, unknown>> {
      const lambda = new LambdaClient(options());
      for await (const { Functions = [] } of paginateListFunctions({ client: lambda }, {})) {
        const found = Functions.find(({ Description }) => Description?.includes('in the life of secrets'));
        if (found === undefined) continue;
        const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: found.FunctionName }));
        return JSON.parse(Payload?.transformToString() ?? '{}');
      }
      throw new Error('the function of the lifecycle is not deployed');
    }

    /** Changes the last day of the secret in its definition, as a deploy does. */
    async function expiresOn(expires: string): Promise<void> {
      const ssm = new SSMClient(options());
      const Name = definitionParameter('dev', secret);
      const { Parameter } = await ssm.send(new GetParameterCommand({ Name }));
      const Value = JSON.stringify({ ...JSON.parse(Parameter?.Value ?? '{}'), expires });
      await ssm.send(new PutParameterCommand({ Name, Value, Overwrite: true }));
    }

    test('new secrets are recorded with their owners, and what people replace is reminded of', async () => {
      await secrets().send(
        new CreateSecretCommand({ Name: manualSecret, SecretString: JSON.stringify({ key: 'of a vendor' }) }),
      );
      expect(await lookAfter()).toEqual({ looked: expect.any(Number) });
      await world().recorded('Secret Registered', secret);
      await world().recorded('Secret Registered', manualSecret);
      await world().recorded('Secret Replacement Due', manualSecret);
      const { Tags = [] } = await secrets().send(new DescribeSecretCommand({ SecretId: secret }));
      expect(Tags).toContainEqual({ Key: lifecycleTags.owner, Value: 'team-shop' });
    });

    test('a secret whose last day has passed is refused by its target and rotates no more', async () => {
      const { caPem } = world().postgres;
      const login = await world().readLogin(secret);
      expect(await logsIn(login, caPem)).toBe(true);
      await expiresOn('2026-01-01');
      expect(await lookAfter()).toEqual({ looked: expect.any(Number) });
      await world().recorded('Secret Expired', secret);
      expect(await logsIn(login, caPem)).toBe(false);
      const { RotationEnabled } = await secrets().send(new DescribeSecretCommand({ SecretId: secret }));
      expect(RotationEnabled).toBe(false);
      // Somebody turns it on again; the next run turns it off.
      await secrets().send(new RotateSecretCommand({ SecretId: secret }));
      await world().recorded('Secret Rotation Failed', 'SecretExpired');
      expect(await logsIn(await world().readLogin(secret), caPem)).toBe(false);
      await lookAfter();
    });

    test('one whose last day is put off rotates at once, and works again', async () => {
      await expiresOn('2099-12-31');
      expect(await lookAfter()).toEqual({ looked: expect.any(Number) });
      await world().recorded('Secret Expiry Extended', secret);
      await eventually('the secret works again', async () =>
        logsIn(await world().readLogin(secret), world().postgres.caPem),
      );
      const { RotationEnabled } = await secrets().send(new DescribeSecretCommand({ SecretId: secret }));
      expect(RotationEnabled).toBe(true);
    });
  });
}
