import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from '@jest/globals';
import { hashOf } from '../../core/fingerprint/digest.ts';
import { signatureHeaders, signingKey } from '../../core/notification/signature.ts';
import { logsIn } from '../../local/servers/database.ts';
import { environmentName } from '../../local/tour/deployment.ts';
import { eventually } from '../../local/tour/eventually.ts';
import type { World } from './world.ts';

/** What others say of leaked credentials, and what a honey secret tells. */
export function signals(world: () => World): void {
  const secrets = () =>
    new SecretsManagerClient(world().cloud.clientOptions(world().credentials.administrator));
  const shared = `whsec_${randomBytes(32).toString('base64')}`;

  /** Sends a message as a scanner does. */
  async function send(id: string, body: string, key = shared): Promise<number> {
    const { cloud } = world();
    const keys = [signingKey(key) ?? Buffer.alloc(0)];
    const headers = signatureHeaders({ id, now: new Date(), body }, keys);
    const ca = readFileSync(cloud.certificateAuthorityFile);
    const { host } = new URL(await world().parameter('signalUrl'));
    return await new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: cloud.port,
          ca,
          servername: 'localhost',
          path: '/webhook',
          method: 'POST',
          agent: false,
          headers: { ...headers, host, 'content-type': 'application/json' },
        },
        (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode ?? 0));
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  describe('signals', () => {
    test('a message of a scanner that names a hash ends in a credential that its target refuses', async () => {
      const secret = `/${environmentName}/orders`;
      const { caPem } = world().postgres;
      await secrets().send(
        new CreateSecretCommand({ Name: 'scanners/own', SecretString: JSON.stringify({ secret: shared }) }),
      );
      const leaked = await world().readLogin(secret);
      await eventually('the value has a fingerprint', async () => {
        const { exitCode } = await world().rekeyReading('operator', leaked.password, 'whose', '--json');
        return exitCode === 0 ? true : undefined;
      });
      const body = JSON.stringify({
        subjects: [{ fingerprint: hashOf(leaked.password) }],
        evidence: 'in a paste',
      });
      expect(await send('msg_e2e_1', body)).toBe(202);
      const { text } = await world().recorded('Signal Received', 'msg_e2e_1');
      expect(text).toContain('"requested"');
      await world().recorded('Secret Revocation Succeeded', `"versionId":"${leaked.versionId}"`);
      expect(await logsIn(leaked, caPem)).toBe(false);
      expect(await logsIn(await world().readLogin(secret), caPem)).toBe(true);
    });

    test('the same message again revokes nothing, and a forged one is refused and recorded', async () => {
      const before = await world().executions();
      const body = JSON.stringify({ subjects: [{ secret: `/${environmentName}/orders` }] });
      expect(await send('msg_e2e_2', body)).toBe(202);
      await world().recorded('Signal Received', 'msg_e2e_2');
      expect(await send('msg_e2e_2', body)).toBe(202);
      const forged = `whsec_${randomBytes(32).toString('base64')}`;
      expect(await send('msg_e2e_3', body, forged)).toBe(401);
      await world().recorded('Signal Rejected', 'SignalForged');
      await eventually('the one revocation has begun', async () =>
        (await world().executions()) === before + 1 ? true : undefined,
      );
    });

    test('a finding of Security Hub ends in a credential that its target refuses', async () => {
      const secret = `/${environmentName}/billing`;
      const { caPem } = world().postgres;
      const leaked = await world().readLogin(secret);
      const { ARN = '' } = await secrets().send(new DescribeSecretCommand({ SecretId: secret }));
      await world().cloud.serviceEvent({
        source: 'aws.securityhub',
        detailType: 'Security Hub Findings - Imported',
        detail: {
          findings: [
            {
              Id: 'acme/finding/e2e',
              ProductArn: 'arn:aws:securityhub:us-east-1::product/acme/scanner',
              Types: ['TTPs/Credential Access/Leak'],
              Severity: { Label: 'CRITICAL' },
              RecordState: 'ACTIVE',
              Workflow: { Status: 'NEW' },
              Resources: [{ Type: 'AwsSecretsManagerSecret', Id: ARN }],
            },
          ],
        },
      });
      await world().recorded('Signal Received', 'acme/finding/e2e');
      await world().recorded('Secret Revocation Succeeded', `"versionId":"${leaked.versionId}"`);
      expect(await logsIn(leaked, caPem)).toBe(false);
      expect(await logsIn(await world().readLogin(secret), caPem)).toBe(true);
    });

    test('whoever reads a honey secret is told by name', async () => {
      const SecretId = `/${environmentName}/payments/root`;
      await secrets().send(new GetSecretValueCommand({ SecretId }));
      const { text } = await world().recorded('Honey Secret Used', SecretId);
      expect(text).toContain('administrator');
      expect(text).toContain('secretsmanager:GetSecretValue');
    });
  });
}
