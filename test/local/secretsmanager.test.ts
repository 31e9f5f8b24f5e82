import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { CreateKeyCommand, DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  type GetSecretValueRequest,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  type PutSecretValueRequest,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
  type UpdateSecretVersionStageRequest,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { refusal, refusalText } from './support/refusal.ts';
import { allow } from './support/stack.ts';

const day = 24 * 3_600;

describe('Secrets Manager', () => {
  let directory: string;
  let cloud: LocalCloud;
  let client: SecretsManagerClient;
  let made = 0;

  beforeAll(async () => {
    directory = await newFolder('secrets');
    cloud = await startCloud({ directory });
    client = new SecretsManagerClient(cloud.clientOptions());
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function createSecret(value?: string, KmsKeyId?: string): Promise<string> {
    made += 1;
    const request = { Name: `team/secret-${made}`, ...(KmsKeyId && { KmsKeyId }) };
    const { ARN } = await client.send(
      new CreateSecretCommand({ ...request, ...(value !== undefined && { SecretString: value }) }),
    );
    return ARN ?? '';
  }

  async function put(SecretId: string, SecretString: string, options: Partial<PutSecretValueRequest> = {}) {
    return await client.send(new PutSecretValueCommand({ SecretId, SecretString, ...options }));
  }

  async function get(SecretId: string, options: Partial<GetSecretValueRequest> = {}) {
    return await client.send(new GetSecretValueCommand({ SecretId, ...options }));
  }

  async function move(SecretId: string, request: Omit<UpdateSecretVersionStageRequest, 'SecretId'>) {
    return await client.send(new UpdateSecretVersionStageCommand({ SecretId, ...request }));
  }

  async function labels(SecretId: string): Promise<Record<string, string>> {
    const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId }));
    return Object.fromEntries(
      Object.entries(VersionIdsToStages).flatMap(([id, stages]) => stages.map((stage) => [stage, id])),
    );
  }

  describe('CreateSecret', () => {
    test('makes the token the version, and takes the same request again', async () => {
      const request = { Name: 'created/once', ClientRequestToken: randomUUID(), SecretString: 'value' };
      const first = await client.send(new CreateSecretCommand(request));
      expect(first.VersionId).toBe(request.ClientRequestToken);
      const second = await client.send(new CreateSecretCommand(request));
      expect(second).toMatchObject({ ARN: first.ARN, VersionId: first.VersionId });
      const other = client.send(new CreateSecretCommand({ ...request, SecretString: 'other' }));
      expect(await refusal(other)).toBe('ResourceExistsException');
      const { ClientRequestToken: _, ...fresh } = request;
      expect(await refusal(client.send(new CreateSecretCommand(fresh)))).toBe('ResourceExistsException');
    });

    test('without a value makes a secret without versions', async () => {
      const secret = await createSecret();
      expect(await labels(secret)).toEqual({});
      expect(await refusal(get(secret))).toBe('ResourceNotFoundException');
      const { VersionId } = await put(secret, 'first', { VersionStages: ['custom'] });
      expect(await labels(secret)).toEqual({ AWSCURRENT: VersionId, custom: VersionId });
    });

    test('refuses the name of a secret that is scheduled for deletion', async () => {
      await client.send(new CreateSecretCommand({ Name: 'going', SecretString: 'value' }));
      await client.send(new DeleteSecretCommand({ SecretId: 'going' }));
      const again = client.send(new CreateSecretCommand({ Name: 'going', SecretString: 'value' }));
      expect(await refusal(again)).toBe('InvalidRequestException');
    });
  });

  describe('PutSecretValue', () => {
    test('does nothing for the same token and value, and refuses another value', async () => {
      const secret = await createSecret('first');
      const ClientRequestToken = randomUUID();
      await put(secret, 'second', { ClientRequestToken });
      const before = await labels(secret);
      const again = await put(secret, 'second', { ClientRequestToken, VersionStages: ['other'] });
      expect(again).toMatchObject({ VersionId: ClientRequestToken, VersionStages: ['AWSCURRENT'] });
      expect(await labels(secret)).toEqual(before);
      expect(await refusalText(put(secret, 'third', { ClientRequestToken }))).toBe(
        "ResourceExistsException: You can't modify an existing version, you can only create a new version.",
      );
      expect((await get(secret)).SecretString).toBe('second');
    });

    test('moves AWSPREVIOUS to the version that was current', async () => {
      const secret = await createSecret('first');
      const { AWSCURRENT: first } = await labels(secret);
      const { VersionId: second } = await put(secret, 'second');
      const { VersionId: third } = await put(secret, 'third');
      expect(await labels(secret)).toEqual({ AWSCURRENT: third, AWSPREVIOUS: second });
      expect((await get(secret, { VersionId: first ?? '' })).SecretString).toBe('first');
    });

    test('keeps AWSPENDING on one version', async () => {
      const secret = await createSecret('first');
      await put(secret, 'second', { VersionStages: ['AWSPENDING'] });
      const { VersionId } = await put(secret, 'third', { VersionStages: ['AWSPENDING'] });
      expect((await labels(secret)).AWSPENDING).toBe(VersionId);
      expect((await get(secret)).SecretString).toBe('first');
    });

    test('refuses a short token, no value, two values and one that is too long', async () => {
      const secret = await createSecret('first');
      expect(await refusal(put(secret, 'x', { ClientRequestToken: 'short' }))).toBe(
        'InvalidParameterException',
      );
      const none = client.send(new PutSecretValueCommand({ SecretId: secret }));
      expect(await refusal(none)).toBe('InvalidRequestException');
      expect(await refusal(put(secret, 'x', { SecretBinary: Buffer.from('y') }))).toBe(
        'InvalidParameterException',
      );
      expect(await refusal(put(secret, 'é'.repeat(32_769)))).toBe('InvalidParameterException');
      expect((await get(secret)).SecretString).toBe('first');
    });

    test('keeps unlabelled versions for a day, and the latest hundred after it', async () => {
      const secret = await createSecret('0');
      const { AWSCURRENT: first } = await labels(secret);
      for (let value = 1; value < 102; value += 1) await put(secret, String(value));
      expect((await get(secret, { VersionId: first ?? '' })).SecretString).toBe('0');
      await cloud.advanceClock(2 * day);
      await put(secret, 'last');
      expect(await refusal(get(secret, { VersionId: first ?? '' }))).toBe('ResourceNotFoundException');
      const deprecated = await client.send(
        new ListSecretVersionIdsCommand({ SecretId: secret, IncludeDeprecated: true, MaxResults: 100 }),
      );
      expect(deprecated.Versions).toHaveLength(100);
      expect(deprecated.NextToken).toBeUndefined();
    });
  });

  test('UpdateSecret stores a value under its token and keeps the one before', async () => {
    const secret = await createSecret('first');
    const { AWSCURRENT: first } = await labels(secret);
    const request = { SecretId: secret, SecretString: 'second', ClientRequestToken: randomUUID() };
    const { VersionId } = await client.send(new UpdateSecretCommand(request));
    expect(VersionId).toBe(request.ClientRequestToken);
    await client.send(new UpdateSecretCommand(request));
    expect(await labels(secret)).toEqual({ AWSCURRENT: VersionId, AWSPREVIOUS: first });
    const other = client.send(new UpdateSecretCommand({ ...request, SecretString: 'third' }));
    expect(await refusal(other)).toBe('ResourceExistsException');
  });

  test('GetSecretValue checks a stage against the version that it is given with', async () => {
    const secret = await createSecret('first');
    const { VersionId } = await put(secret, 'second');
    expect((await get(secret, { VersionId, VersionStage: 'AWSCURRENT' })).SecretString).toBe('second');
    expect(await refusalText(get(secret, { VersionId, VersionStage: 'AWSPREVIOUS' }))).toBe(
      'InvalidRequestException: You provided a VersionStage that is not associated to the provided VersionId.',
    );
    expect(await refusal(get(secret, { VersionStage: 'AWSPENDING' }))).toBe('ResourceNotFoundException');
    expect(await refusal(get(secret, { VersionId: randomUUID() }))).toBe('ResourceNotFoundException');
  });

  test('ListSecretVersionIds shows versions without labels only when asked', async () => {
    const secret = await createSecret('first');
    const { AWSCURRENT: first } = await labels(secret);
    await put(secret, 'second');
    await put(secret, 'third');
    const list = async (IncludeDeprecated: boolean) =>
      (await client.send(new ListSecretVersionIdsCommand({ SecretId: secret, IncludeDeprecated })))
        .Versions ?? [];
    expect((await list(false)).map((version) => version.VersionStages)).toEqual([
      ['AWSPREVIOUS'],
      ['AWSCURRENT'],
    ]);
    const all = await list(true);
    expect(all.map((version) => version.VersionId)).toContain(first);
    expect(all).toHaveLength(3);
    for (const version of all) expect(version.CreatedDate).toBeInstanceOf(Date);
  });

  describe('UpdateSecretVersionStage', () => {
    test('moves AWSCURRENT with AWSPREVIOUS behind it', async () => {
      const secret = await createSecret('first');
      const { AWSCURRENT: first = '' } = await labels(secret);
      const { VersionId: next = '' } = await put(secret, 'second', { VersionStages: ['AWSPENDING'] });
      const request = { VersionStage: 'AWSCURRENT', MoveToVersionId: next, RemoveFromVersionId: first };
      await move(secret, request);
      expect(await labels(secret)).toEqual({ AWSCURRENT: next, AWSPENDING: next, AWSPREVIOUS: first });
      expect((await get(secret)).SecretString).toBe('second');
      await move(secret, { VersionStage: 'AWSPENDING', RemoveFromVersionId: next });
      expect(await labels(secret)).toEqual({ AWSCURRENT: next, AWSPREVIOUS: first });
    });

    test('refuses to remove AWSCURRENT, to move it without its holder, and from another than its holder', async () => {
      const secret = await createSecret('first');
      const { AWSCURRENT: first = '' } = await labels(secret);
      const { VersionId: next = '' } = await put(secret, 'second', { VersionStages: ['AWSPENDING'] });
      const VersionStage = 'AWSCURRENT';
      expect(await refusalText(move(secret, { VersionStage, RemoveFromVersionId: first }))).toMatch(
        /^InvalidParameterException: You can only move staging label AWSCURRENT/,
      );
      expect(await refusalText(move(secret, { VersionStage, MoveToVersionId: next }))).toContain(
        `Staging label AWSCURRENT is currently attached to version ${first}`,
      );
      const { VersionId: third = '' } = await put(secret, 'third', { VersionStages: ['custom'] });
      const wrong = { VersionStage, MoveToVersionId: next, RemoveFromVersionId: third };
      expect(await refusal(move(secret, wrong))).toBe('InvalidParameterException');
      const absent = { VersionStage, MoveToVersionId: randomUUID(), RemoveFromVersionId: first };
      expect(await refusal(move(secret, absent))).toBe('ResourceNotFoundException');
      expect(await labels(secret)).toEqual({ AWSCURRENT: first, AWSPENDING: next, custom: third });
    });
  });

  /**
   * Recorded on AWS by LocalStack, tests/aws/services/secretsmanager/test_secretsmanager.snapshot.json; the documents
   * say the same: https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
   */
  describe('answers as recorded', () => {
    const missing = "ResourceNotFoundException: Secrets Manager can't find the specified secret.";
    const named = async (Name: string) =>
      (await client.send(new CreateSecretCommand({ Name, SecretString: Name }))).ARN ?? '';

    // 2022-09-28: test_create_and_update_secret[…-Name-a1b2c3-False], resource_not_found_dict_1.
    test('an ARN without its suffix finds no secret whose name ends in a hyphen and six characters', async () => {
      for (const name of ['plain', 'Name-a1b2', 'Name-a1b2c3-', 'app_secret']) {
        const arn = await named(name);
        expect((await get(arn.slice(0, -7))).SecretString).toBe(name);
      }
      for (const name of ['Name-a1b2c3', 'app-secret', 'team/db-reader']) {
        const arn = await named(name);
        expect(await refusalText(get(arn.slice(0, -7)))).toBe(missing);
        expect((await get(arn)).SecretString).toBe(name);
        expect((await get(name)).SecretString).toBe(name);
      }
      // A shorter name is no beginning of another.
      const longer = await named('longer-name');
      expect(await refusalText(get(longer.slice(0, -9)))).toBe(missing);
    });

    // 2024-03-15: test_invalid_secret_name[ Inv Name] and three more names.
    test.each(['not a name', 'a,b', 'a*', 'arn:aws:secretsmanager:us-east-1:000000000000:secret:not a name'])(
      'every operation refuses the name %p',
      async (SecretId) => {
        const answers = await Promise.all([
          refusalText(get(SecretId)),
          refusalText(put(SecretId, 'x')),
          refusalText(labels(SecretId)),
          refusalText(client.send(new UpdateSecretCommand({ SecretId, SecretString: 'x' }))),
          refusalText(client.send(new DeleteSecretCommand({ SecretId }))),
          refusalText(client.send(new ListSecretVersionIdsCommand({ SecretId }))),
          refusalText(client.send(new RotateSecretCommand({ SecretId }))),
          refusalText(move(SecretId, { VersionStage: 'x', MoveToVersionId: randomUUID() })),
        ]);
        expect(new Set(answers)).toEqual(
          new Set([
            'ValidationException: Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
          ]),
        );
        if (!SecretId.startsWith('arn:')) {
          expect(await refusal(named(SecretId))).toBe('ValidationException');
        }
      },
    );

    // 2024-03-15: test_get_secret_value_errors, test_secret_version_not_found, test_secret_not_found.
    test('which stage, version or secret is missing', async () => {
      const secret = await createSecret('value');
      const unknown = randomUUID();
      const value = "ResourceNotFoundException: Secrets Manager can't find the specified secret value for";
      expect(await refusalText(get(secret, { VersionStage: 'AWSPENDING' }))).toBe(
        `${value} staging label: AWSPENDING`,
      );
      expect(await refusalText(get(secret, { VersionId: unknown }))).toBe(`${value} VersionId: ${unknown}`);
      expect(await refusalText(get('team/absent'))).toBe(missing);
    });

    test('a secret that exists, one marked for deletion, one that is forced away', async () => {
      const arn = await named('twice');
      expect(await refusalText(named('twice'))).toBe(
        'ResourceExistsException: The operation failed because the secret twice already exists.',
      );
      await client.send(new DeleteSecretCommand({ SecretId: arn }));
      expect(await refusalText(get(arn))).toBe(
        "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.",
      );
      expect(await refusalText(named('twice'))).toBe(
        "InvalidRequestException: You can't create this secret because a secret with this name is already scheduled for deletion.",
      );
      const forced = { SecretId: 'team/never-there', ForceDeleteWithoutRecovery: true };
      expect(await client.send(new DeleteSecretCommand(forced))).toMatchObject({ Name: 'team/never-there' });
      expect(await refusalText(client.send(new DeleteSecretCommand({ SecretId: 'team/never-there' })))).toBe(
        missing,
      );
    });

    test('DescribeSecret leaves out what there is none of', async () => {
      const secret = await createSecret();
      const described = await client.send(new DescribeSecretCommand({ SecretId: secret }));
      const { $metadata: _, ...facts } = described;
      expect(Object.keys(facts).sort()).toEqual(['ARN', 'CreatedDate', 'LastChangedDate', 'Name']);
    });

    test('a request that says nothing of its version is refused', async () => {
      const secret = await createSecret('value');
      const without = new SecretsManagerClient({ ...cloud.clientOptions() });
      without.middlewareStack.add(
        (next) => (args) => {
          const request = args.request as { body: string };
          const { ClientRequestToken: _, ...body } = JSON.parse(request.body) as Record<string, unknown>;
          request.body = JSON.stringify(body);
          return next(args);
        },
        { step: 'build', priority: 'high' },
      );
      const text = 'You must provide a ClientRequestToken value. We recommend a UUID-type value.';
      expect(await refusalText(without.send(new RotateSecretCommand({ SecretId: secret })))).toBe(
        `InvalidParameterException: ${text}`,
      );
      expect(
        await refusalText(without.send(new PutSecretValueCommand({ SecretId: secret, SecretString: 'x' }))),
      ).toBe(`InvalidRequestException: ${text}`);
    });
  });

  describe('a customer managed key', () => {
    const root = {
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::000000000000:root' },
      Action: 'kms:*',
      Resource: '*',
    };

    async function createKey(): Promise<string> {
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [root] });
      const { KeyMetadata } = await new KMSClient(cloud.clientOptions()).send(
        new CreateKeyCommand({ Policy }),
      );
      return KeyMetadata?.Arn ?? '';
    }

    test('must be open to the reader, through Secrets Manager', async () => {
      const key = await createKey();
      const secret = await createSecret('value', key);
      const read = allow('secretsmanager:GetSecretValue', secret);
      const viaService = { StringEquals: { 'kms:ViaService': 'secretsmanager.us-east-1.amazonaws.com' } };
      const without = await createUser(cloud, 'without-key', [read]);
      const withKey = await createUser(cloud, 'with-key', [
        read,
        { ...allow('kms:Decrypt', key), Condition: viaService },
      ]);
      const readAs = (user: typeof without) =>
        new SecretsManagerClient(cloud.clientOptions(user.credentials)).send(
          new GetSecretValueCommand({ SecretId: secret }),
        );
      expect(await refusalText(readAs(without))).toBe('AccessDeniedException: Access to KMS is not allowed');
      expect((await readAs(withKey)).SecretString).toBe('value');
    });

    test('that is disabled lets nobody read or write', async () => {
      const key = await createKey();
      const secret = await createSecret('value', key);
      await new KMSClient(cloud.clientOptions()).send(new DisableKeyCommand({ KeyId: key }));
      expect(await refusal(get(secret))).toBe('DecryptionFailure');
      expect(await refusal(put(secret, 'other'))).toBe('EncryptionFailure');
      const store = new SecretsManagerStore(client);
      const unusable = { code: 'SecretKeyUnusable', retryable: false };
      await expect(store.read(secret, { stage: 'AWSCURRENT' })).rejects.toMatchObject(unusable);
      await expect(store.putPending(secret, randomUUID(), 'other')).rejects.toMatchObject(unusable);
    });
  });
});
