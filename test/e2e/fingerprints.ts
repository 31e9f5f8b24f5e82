import { createHash, randomBytes } from 'node:crypto';
import { DynamoDBClient, ListTablesCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from '@jest/globals';
import { type LookupAnswer, lookupLimits, mostCandidates } from '../../core/fingerprint/lookup.ts';
import { environmentName, type RoleName } from '../../local/tour/deployment.ts';
import { eventually } from '../../local/tour/eventually.ts';
import type { World } from './world.ts';

const hashOf = (value: string): string => createHash('sha256').update(value).digest('hex');

interface Found {
  readonly found: boolean;
  readonly matches: readonly {
    readonly secretName: string;
    readonly versionId: string;
    readonly labels: readonly string[];
    readonly alive: string;
    readonly parts: readonly string[];
    readonly next: string | null;
  }[];
}

/** What a value that was found somewhere tells. */
export function fingerprints(world: () => World): void {
  const name = `/${environmentName}/orders`;

  /** Asks which secret a text holds a value of. */
  async function whose(role: RoleName, input: string): Promise<Found> {
    const { stdout, stderr, exitCode } = await world().rekeyReading(role, input, 'whose', '--json');
    if (exitCode > 1) throw new Error(`rekey whose ended with ${exitCode}: ${stdout}${stderr}`);
    return JSON.parse(stdout);
  }

  /** Waits until a value is found with a label. */
  const labelled = (value: string, label: string) =>
    eventually(`the value is found as ${label}`, async () => {
      const { matches } = await whose('operator', value);
      return matches.find(({ labels }) => labels.includes(label));
    });

  describe('fingerprints', () => {
    test('a rotation makes the new value known, and the old one goes on being known', async () => {
      const old = await world().readLogin(name);
      await labelled(old.password, 'AWSCURRENT');
      const rotated = await world().rekey('operator', 'secret', 'rotate', name, '--wait', '--yes');
      expect(rotated.exitCode).toBe(0);
      const now = await world().readLogin(name);
      expect(now.versionId).not.toBe(old.versionId);
      expect(await labelled(now.password, 'AWSCURRENT')).toMatchObject({
        secretName: name,
        versionId: now.versionId,
        parts: ['password'],
        alive: 'yes',
        next: expect.stringContaining(`rekey revoke ${name} --mode kill --version-id ${now.versionId}`),
      });
      expect(await labelled(old.password, 'AWSPREVIOUS')).toMatchObject({
        versionId: old.versionId,
        alive: 'perhaps',
      });
    });

    test('a responder finds it in the form in which it was found, by the labels of the index', async () => {
      const { password, versionId } = await world().readLogin(name);
      const manifest = `data:\n  password: ${Buffer.from(password).toString('base64')}\n`;
      const found = await whose('responder', manifest);
      expect(found.matches).toContainEqual(expect.objectContaining({ secretName: name, versionId }));
    });

    test('a lookup is on the record: how many, which secret, who says that they asked', async () => {
      const { password, versionId } = await world().readLogin(name);
      await whose('responder', password);
      const { text } = await world().recorded('Fingerprint Looked Up', versionId);
      expect(text).toContain(name);
      expect(text).toContain('"claimedActor"');
      expect(text).not.toContain(hashOf(password));
    });

    test('whoever may read the audit log may not look up', async () => {
      const { exitCode, stdout } = await world().rekeyReading('auditor', 'any-value', 'whose', '--json');
      expect([exitCode, JSON.parse(stdout).error]).toEqual([
        3,
        expect.objectContaining({ code: 'AccessDenied', action: 'lambda:Invoke' }),
      ]);
    });

    test('a value that a person put is found after a sweep, and one that many would guess never', async () => {
      const { cloud, credentials } = world();
      const secrets = new SecretsManagerClient(cloud.clientOptions(credentials.administrator));
      const held = `kT7/${randomBytes(12).toString('hex')}`;
      const put = (password: string) =>
        secrets.send(
          new PutSecretValueCommand({
            SecretId: name,
            SecretString: JSON.stringify({ password }),
            VersionStages: [`SEEN-${password === held ? 1 : 2}`],
          }),
        );
      await put(held);
      await put('Password1');
      expect((await whose('operator', held)).found).toBe(false);
      const lambda = new LambdaClient(cloud.clientOptions(credentials.administrator));
      const index = (await world().parameter('fingerprintLookupFunction')).replace(/Lookup.*$/, 'Index');
      const { FunctionError } = await lambda.send(
        new InvokeCommand({
          FunctionName: await functionNamed(lambda, index),
          Payload: JSON.stringify({ 'detail-type': 'Scheduled Event' }),
        }),
      );
      expect(FunctionError).toBeUndefined();
      expect(await labelled(held, 'SEEN-1')).toMatchObject({ secretName: name, alive: 'perhaps' });
      expect((await whose('operator', 'Password1')).found).toBe(false);
    });

    test('the table holds neither a value nor its bare hash', async () => {
      const { cloud, credentials } = world();
      const { password } = await world().readLogin(name);
      const tables = new DynamoDBClient(cloud.clientOptions(credentials.administrator));
      const { TableNames = [] } = await tables.send(new ListTablesCommand({}));
      const items = await Promise.all(
        TableNames.map((TableName) => tables.send(new ScanCommand({ TableName }))),
      );
      const text = JSON.stringify(items.map(({ Items }) => Items));
      expect(text).toContain(name);
      for (const secret of [password, hashOf(password)]) expect(text).not.toContain(secret);
    });

    // Last, since it leaves nothing for this minute.
    test('a flood of guesses is refused with the time to wait, and is no error', async () => {
      const { cloud, credentials } = world();
      const lambda = new LambdaClient(cloud.clientOptions(credentials.responder));
      const FunctionName = await world().parameter('fingerprintLookupFunction');
      const guess = async (): Promise<LookupAnswer> => {
        const hashes = Array.from({ length: mostCandidates }, () => randomBytes(32).toString('hex'));
        const { Payload, FunctionError } = await lambda.send(
          new InvokeCommand({ FunctionName, Payload: JSON.stringify({ hashes }) }),
        );
        expect(FunctionError).toBeUndefined();
        return JSON.parse(Buffer.from(Payload ?? []).toString('utf8'));
      };
      // A minute may end in between.
      const calls = 2 * Math.ceil(lookupLimits.perMinute / mostCandidates) + 1;
      const answers: LookupAnswer[] = [];
      for (let call = 0; call < calls && answers.at(-1)?.outcome !== 'refused'; call += 1) {
        answers.push(await guess());
      }
      expect(answers.at(-1)).toMatchObject({
        outcome: 'refused',
        error: { code: 'LookupsExhausted', retryable: true },
        retryAfterSeconds: expect.any(Number),
      });
    });
  });
}

/** Finds a function by the beginning of its name. */
async function functionNamed(lambda: LambdaClient, beginning: string): Promise<string> {
  for await (const { Functions = [] } of paginateListFunctions({ client: lambda }, {})) {
    const found = Functions.find(({ FunctionName = '' }) => FunctionName.startsWith(beginning));
    if (found?.FunctionName !== undefined) return found.FunctionName;
  }
  throw new Error(`no function begins with ${beginning}`);
}
