import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DeleteRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import {
  DescribeSecretCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from '@jest/globals';
import { logsIn } from '../../local/servers/database.ts';
import { eventually } from '../../local/tour/eventually.ts';
import type { World } from './world.ts';

/** What stops a function whose every rotation fails; three secrets have one function here, and two engage its brake. */
export function brake(world: () => World): void {
  describe('the brake of a rotation function', () => {
    const [first, second, third] = ['/dev/orders', '/dev/payments', '/dev/stock'] as const;
    const rekey = (...args: string[]) => world().rekey('operator', ...args);
    const rotate = (secret: string) => rekey('secret', 'rotate', secret, '--wait', '--yes');
    const secrets = () => new SecretsManagerClient(world().cloud.clientOptions());

    /** The role of the function that rotates a secret. */
    async function roleOf(secret: string): Promise<string> {
      const { RotationLambdaARN } = await secrets().send(new DescribeSecretCommand({ SecretId: secret }));
      const lambda = new LambdaClient(world().cloud.clientOptions());
      const { Role = '' } = await lambda.send(
        new GetFunctionConfigurationCommand({ FunctionName: RotationLambdaARN }),
      );
      return Role.split('/').at(-1) ?? '';
    }

    async function alarmState(): Promise<string | undefined> {
      const watch = new CloudWatchClient(world().cloud.clientOptions());
      const { MetricAlarms = [] } = await watch.send(
        new DescribeAlarmsCommand({ AlarmNames: ['rekey-dev-rotation-braked'] }),
      );
      return MetricAlarms[0]?.StateValue;
    }

    /** Has every rotation of a function fail, as a role does that a deploy broke. */
    async function whileBroken(secret: string, act: () => Promise<void>): Promise<void> {
      const iam = new IAMClient(world().cloud.clientOptions());
      const broken = { RoleName: await roleOf(secret), PolicyName: 'broken' };
      const denial = { Effect: 'Deny', Action: 'secretsmanager:PutSecretValue', Resource: '*' };
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [denial] });
      await iam.send(new PutRolePolicyCommand({ ...broken, PolicyDocument }));
      try {
        await act();
      } finally {
        await iam.send(new DeleteRolePolicyCommand(broken));
      }
    }

    test('is engaged by several secrets, alarms, holds up no revocation, and is let go by rekey resume', async () => {
      const { caPem } = world().postgres;
      const before = await world().readLogin(third);
      await whileBroken(first, async () => {
        // One secret that fails again and again is no reason to stop the others.
        for (let attempt = 0; attempt < 3; attempt += 1) expect((await rotate(first)).exitCode).not.toBe(0);
        expect((await rekey('doctor')).stdout).toContain('no rotation function has its brake engaged');
        expect((await rotate(second)).exitCode).not.toBe(0);
        await world().recorded('Rotation Function Braked', 'payments');
      });

      // The cause is gone, and nobody has said so.
      const refused = await rotate(third);
      expect([refused.exitCode === 0, `${refused.stdout}${refused.stderr}`]).toEqual([
        false,
        expect.stringContaining('RotationBraked'),
      ]);
      const { VersionIdsToStages = {} } = await secrets().send(
        new DescribeSecretCommand({ SecretId: third }),
      );
      expect(Object.values(VersionIdsToStages).flat()).not.toContain('AWSPENDING');
      expect(await world().readLogin(third)).toEqual(before);
      expect(await logsIn(before, caPem)).toBe(true);
      await eventually('the alarm', async () => (await alarmState()) === 'ALARM');
      const doctor = await rekey('doctor');
      expect([doctor.exitCode, doctor.stdout]).toEqual([1, expect.stringMatching(/brakes +fail.*orders-/)]);

      const detail = world().request({ select: { secret: third }, mode: 'kill' });
      await world().put('responder', {
        source: 'rekey.cli',
        detailType: 'Secret Revocation Requested',
        detail,
      });
      await world().recorded('Secret Revocation Succeeded', detail.metadata.id);
      expect(await logsIn(before, caPem)).toBe(false);
      expect(await logsIn(await world().readLogin(third), caPem)).toBe(true);
      expect((await rotate(third)).exitCode).not.toBe(0);

      expect((await rekey('resume', third, '--yes')).stderr).toContain('--reason');
      const resumed = await rekey('resume', third, '--reason', 'the permission is back', '--yes');
      expect([resumed.exitCode, resumed.stdout]).toEqual([0, expect.stringContaining('is let go')]);
      await world().recorded('Rotation Function Released', 'the permission is back');
      // All at once: one of them goes first, and the others wait for it.
      for (const SecretId of [first, second, third]) {
        // What is left over of the failed rotations is tried again.
        await secrets()
          .send(new RotateSecretCommand({ SecretId }))
          .catch(() => undefined);
      }
      for (const secret of [first, second, third]) {
        expect([secret, (await rotate(secret)).exitCode]).toEqual([secret, 0]);
        expect(await logsIn(await world().readLogin(secret), caPem)).toBe(true);
      }
      expect((await rekey('doctor')).exitCode).toBe(0);
    });

    test('is let go by other code, whose first rotation goes before the others', async () => {
      await whileBroken(first, async () => {
        for (const secret of [first, second]) expect((await rotate(secret)).exitCode).not.toBe(0);
      });
      expect((await rotate(third)).stdout).toContain('RotationBraked');
      const { RotationLambdaARN: FunctionName } = await secrets().send(
        new DescribeSecretCommand({ SecretId: third }),
      );
      const lambda = new LambdaClient(world().cloud.clientOptions());
      const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
      const Variables = { ...Environment?.Variables, REKEY_CODE: 'as after a deploy' };
      await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }));
      for (const secret of [third, first, second]) {
        expect([secret, (await rotate(secret)).exitCode]).toEqual([secret, 0]);
      }
      expect((await rekey('doctor')).exitCode).toBe(0);
    });
  });
}
