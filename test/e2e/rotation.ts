import { readFile } from 'node:fs/promises';
import {
  DescribeSecretCommand,
  ListSecretsCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from '@jest/globals';
import { logsIn } from '../../local/servers/database.ts';
import { environmentName } from '../../local/tour/deployment.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { lastRotated, rotationsEnded } from '../../local/tour/rotations.ts';
import type { World } from './world.ts';

/** Rotation as Secrets Manager drives it. */
export function rotation(world: () => World): void {
  describe('rotation', () => {
    test('the first deploy rotates created secrets at once: each logs in', async () => {
      for (const name of ['orders', 'billing', 'payments', 'stock']) {
        const login = await eventually(`/${environmentName}/${name} rotates after its creation`, async () => {
          const current = await world().readLogin(`/${environmentName}/${name}`);
          return (await logsIn(current, world().postgres.caPem)) ? current : undefined;
        });
        expect(login.password).toHaveLength(32);
      }
    });

    test('a record is readable soon after the rotation', async () => {
      const { exitCode } = await world().rekey(
        'operator',
        'secret',
        'rotate',
        `/${environmentName}/orders`,
        '--wait',
        '--yes',
      );
      expect(exitCode).toBe(0);
      const { versionId } = await world().readLogin(`/${environmentName}/orders`);
      await eventually('the record', async () =>
        (await world().records()).some(
          ({ detailType, text }) => detailType === 'Secret Rotation Succeeded' && text.includes(versionId),
        ),
      );
    });

    test('a label that comes back brings no replaced password back, and the rotation after it works', async () => {
      const name = `/${environmentName}/orders`;
      const { cloud, credentials, postgres } = world();
      const secrets = new SecretsManagerClient(cloud.clientOptions(credentials.administrator));
      const rotate = () => world().rekey('operator', 'secret', 'rotate', name, '--wait', '--yes');
      const { VersionIdsToStages = {} } = await secrets.send(new DescribeSecretCommand({ SecretId: name }));
      const holder = (label: string) =>
        Object.entries(VersionIdsToStages).find(([, labels]) => labels.includes(label))?.[0];
      const [previous, pending] = [holder('AWSPREVIOUS'), holder('AWSPENDING')];
      await secrets.send(
        new UpdateSecretVersionStageCommand({
          SecretId: name,
          VersionStage: 'AWSPENDING',
          MoveToVersionId: previous,
          ...(pending !== undefined && { RemoveFromVersionId: pending }),
        }),
      );
      const current = await world().readLogin(name);
      const refused = await rotate();
      expect([refused.exitCode === 0, `${refused.stdout}${refused.stderr}`]).toEqual([
        false,
        expect.stringContaining('PendingOutdated'),
      ]);
      expect(await logsIn(await world().readLogin(name), postgres.caPem)).toBe(true);
      expect((await rotate()).exitCode).toBe(0);
      const next = await world().readLogin(name);
      expect(next.versionId).not.toBe(current.versionId);
      expect(await logsIn(next, postgres.caPem)).toBe(true);
    });

    test('a paused secret does not rotate, is revoked all the same, and rotates when the pause is ended', async () => {
      const secret = '/dev/orders';
      const { caPem } = world().postgres;
      const rekey = (...args: string[]) => world().rekey('operator', ...args);
      const paused = await rekey('pause', secret, '--for', '1h', '--reason', 'end-to-end test', '--yes');
      expect([paused.exitCode, paused.stderr]).toEqual([0, expect.stringContaining('Plan: pause rotations')]);
      const before = await world().readLogin(secret);
      expect(await rekey('secret', 'rotate', secret, '--yes')).toMatchObject({
        exitCode: 3,
        stderr: expect.stringContaining('rekey resume'),
      });
      // Past the CLI's own look, as the schedule would.
      const { cloud } = world();
      const client = new SecretsManagerClient(cloud.clientOptions());
      await client.send(new RotateSecretCommand({ SecretId: secret }));
      await world().recorded('Secret Rotation Failed', 'RotationPaused');
      expect((await world().readLogin(secret)).versionId).toBe(before.versionId);
      const detail = world().request({ select: { secret }, mode: 'kill' });
      await world().put('responder', {
        source: 'rekey.cli',
        detailType: 'Secret Revocation Requested',
        detail,
      });
      await world().recorded('Secret Revocation Succeeded', detail.metadata.id);
      expect(await logsIn(before, caPem)).toBe(false);
      expect((await rekey('resume', secret, '--yes')).exitCode).toBe(0);
      expect((await rekey('secret', 'rotate', secret, '--wait', '--yes')).exitCode).toBe(0);
      expect(await logsIn(await world().readLogin(secret), caPem)).toBe(true);
    });

    test('the schedule fires: every secret rotates when its time has come', async () => {
      const { cloud, credentials } = world();
      const secrets = new SecretsManagerClient(cloud.clientOptions(credentials.administrator));
      const before = await world().readLogin(`/${environmentName}/payments`);
      const { SecretList = [] } = await secrets.send(new ListSecretsCommand({ MaxResults: 100 }));
      const rotated = SecretList.filter((secret) => secret.RotationEnabled).map(({ Name }) => Name ?? '');
      expect(rotated.length).toBeGreaterThanOrEqual(4);
      const dates = await lastRotated(secrets, rotated);
      const { NextRotationDate } = await secrets.send(
        new DescribeSecretCommand({ SecretId: `/${environmentName}/payments` }),
      );
      expect(NextRotationDate).toBeInstanceOf(Date);
      await cloud.advanceClock(31 * 24 * 3600);
      await rotationsEnded(secrets, rotated, dates).catch(async (error: Error) => {
        const log = await readFile(cloud.logFile, 'utf8');
        const why = log.split('\n').filter((line) => line.includes('Rotation of '));
        throw new Error([error.message, ...why].join('\n'));
      });
      const after = await world().readLogin(`/${environmentName}/payments`);
      expect(after.versionId).not.toBe(before.versionId);
      expect(await logsIn(after, world().postgres.caPem)).toBe(true);
      expect(await logsIn(before, world().postgres.caPem)).toBe(false);
    });
  });

  describe('the operator', () => {
    test('sees all secrets well with `rekey secret list`', async () => {
      const { exitCode, stdout } = await world().rekey('operator', 'secret', 'list');
      expect(exitCode).toBe(0);
      for (const name of ['orders', 'billing', 'payments', 'stock']) {
        expect(stdout).toContain(`/${environmentName}/${name}`);
      }
    });

    test('gets a clean bill of health from `rekey doctor`', async () => {
      const { exitCode, stdout, stderr } = await world().rekey('operator', 'doctor');
      expect({
        exitCode,
        problems: `${stdout}${stderr}`.split('\n').filter((line) => /\bfail\b/i.test(line)),
      }).toEqual({
        exitCode: 0,
        problems: [],
      });
    });
  });
}
