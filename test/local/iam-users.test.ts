import { rm } from 'node:fs/promises';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  GetAccessKeyLastUsedCommand,
  GetUserPolicyCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListUserTagsCommand,
  PutUserPolicyCommand,
  TagUserCommand,
  UntagUserCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import {
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CloudCredentials, type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { createUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { refusal, refusalText } from './support/refusal.ts';
import { allow } from './support/stack.ts';

const mayList = [allow('sqs:ListQueues'), allow('sts:GetFederationToken')];

describe('IAM users', () => {
  let directory: string;
  let cloud: LocalCloud;
  let iam: IAMClient;
  let users = 0;

  beforeAll(async () => {
    directory = await newFolder('iam-users');
    cloud = await startCloud({ directory });
    iam = new IAMClient(cloud.clientOptions());
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const makeUser = () => createUser(cloud, `user-${++users}`, mayList);
  const identityOf = (credentials: CloudCredentials) =>
    new STSClient(cloud.clientOptions(credentials)).send(new GetCallerIdentityCommand({}));
  const listQueues = (credentials: CloudCredentials) =>
    new SQSClient(cloud.clientOptions(credentials)).send(new ListQueuesCommand({}));
  const setStatus = (UserName: string, AccessKeyId: string, Status: 'Active' | 'Inactive') =>
    iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status }));
  const credentialsOf = (
    issued: Partial<Record<'AccessKeyId' | 'SecretAccessKey' | 'SessionToken', string | undefined>> = {},
  ) => ({
    accessKeyId: issued.AccessKeyId ?? '',
    secretAccessKey: issued.SecretAccessKey ?? '',
    ...(issued.SessionToken !== undefined && { sessionToken: issued.SessionToken }),
  });

  // https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
  // https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
  test('STS says who holds a key, whatever policies deny, and refuses one that is inactive, wrong or gone', async () => {
    const { name, arn, credentials } = await makeUser();
    await iam.send(
      new PutUserPolicyCommand({
        UserName: name,
        PolicyName: 'deny',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: { Effect: 'Deny', Action: '*', Resource: '*' },
        }),
      }),
    );
    expect(await identityOf(credentials)).toMatchObject({ Arn: arn, Account: cloud.accountId });
    const wrong = { ...credentials, secretAccessKey: `${credentials.secretAccessKey}x` };
    expect(await refusalText(identityOf(wrong))).toMatch(
      /^SignatureDoesNotMatch: The request signature we calculated does not match/,
    );
    await setStatus(name, credentials.accessKeyId, 'Inactive');
    expect(await refusal(identityOf(credentials))).toBe('InvalidClientTokenId');
    await setStatus(name, credentials.accessKeyId, 'Active');
    expect((await identityOf(credentials)).Arn).toBe(arn);
    await iam.send(new DeleteAccessKeyCommand({ UserName: name, AccessKeyId: credentials.accessKeyId }));
    expect(await refusal(identityOf(credentials))).toBe('InvalidClientTokenId');
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
  test('a user has two access keys at the most, inactive ones included', async () => {
    const { name, credentials } = await makeUser();
    await setStatus(name, credentials.accessKeyId, 'Inactive');
    const create = () => iam.send(new CreateAccessKeyCommand({ UserName: name }));
    await create();
    expect(await refusalText(create())).toBe(
      'LimitExceededException: Cannot exceed quota for AccessKeysPerUser: 2',
    );
    const { AccessKeyMetadata = [] } = await iam.send(new ListAccessKeysCommand({ UserName: name }));
    expect(AccessKeyMetadata.map(({ Status }) => Status)).toEqual(['Inactive', 'Active']);
  });

  // https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html
  test('a key is found under its own user alone, and users that do not exist are not found', async () => {
    const [one, other] = [await makeUser(), await makeUser()];
    const AccessKeyId = one.credentials.accessKeyId;
    for (const UserName of [other.name, 'nobody']) {
      expect(await refusal(iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId })))).toBe(
        'NoSuchEntityException',
      );
      expect(await refusal(setStatus(UserName, AccessKeyId, 'Inactive'))).toBe('NoSuchEntityException');
    }
    expect(await refusal(iam.send(new ListAccessKeysCommand({ UserName: 'nobody' })))).toBe(
      'NoSuchEntityException',
    );
    expect((await identityOf(one.credentials)).Arn).toBe(one.arn);
  });

  // https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyLastUsed.html
  test('the last use of a key is told: when, in which region, of which service', async () => {
    const { name, credentials } = await makeUser();
    const used = async (AccessKeyId: string) =>
      (await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId }))).AccessKeyLastUsed;
    expect(await used(credentials.accessKeyId)).toEqual({ Region: 'N/A', ServiceName: 'N/A' });
    await refusal(identityOf({ ...credentials, secretAccessKey: 'wrong' }));
    expect(await used(credentials.accessKeyId)).toEqual({ Region: 'N/A', ServiceName: 'N/A' });
    await listQueues(credentials);
    expect(await used(credentials.accessKeyId)).toEqual({
      LastUsedDate: expect.any(Date),
      Region: cloud.region,
      ServiceName: 'sqs',
    });
    expect(await refusal(used('AKIAUNKNOWNUNKNOWN00'))).toBe('NoSuchEntityException');
    expect(name).not.toBe('');
  });

  // https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
  test("permissions are for a user's ARN with its path, also where only a key is named", async () => {
    const UserName = `user-${++users}`;
    const { User } = await iam.send(new CreateUserCommand({ UserName, Path: '/apps/orders/' }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    const actions = ['iam:ListAccessKeys', 'iam:GetAccessKeyLastUsed', 'iam:TagUser'];
    const as = async (resource: string) => {
      const manager = await createUser(cloud, `user-${++users}`, [
        { Effect: 'Allow', Action: actions, Resource: resource },
      ]);
      return new IAMClient(cloud.clientOptions(manager.credentials));
    };
    const calls = (client: IAMClient) => [
      client.send(new ListAccessKeysCommand({ UserName })),
      client.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: AccessKey?.AccessKeyId })),
      client.send(new TagUserCommand({ UserName, Tags: [{ Key: 'k', Value: 'v' }] })),
    ];
    expect(User?.Arn).toBe(`arn:aws:iam::${cloud.accountId}:user/apps/orders/${UserName}`);
    await Promise.all(calls(await as(User?.Arn ?? '')));
    for (const other of [`arn:aws:iam::${cloud.accountId}:user/${UserName}`, `${User?.Arn}x`]) {
      const client = await as(other);
      expect(await Promise.all(calls(client).map(refusal))).toEqual(Array(3).fill('AccessDenied'));
    }
  });

  // https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html
  test('tags take the characters that IAM takes, and there are 50 at the most', async () => {
    const { name } = await makeUser();
    const tag = (Tags: { Key: string; Value: string }[]) =>
      iam.send(new TagUserCommand({ UserName: name, Tags }));
    await tag([{ Key: 'rekey:issuing:a', Value: '2026-01-01T00:00:00.000Z/AKIA' }]);
    expect(await refusal(tag([{ Key: 'a', Value: 'x;y' }]))).toBe('ValidationError');
    await tag(Array.from({ length: 49 }, (_, n) => ({ Key: `tag-${n}`, Value: '' })));
    expect(await refusal(tag([{ Key: 'one-more', Value: '' }]))).toBe('LimitExceededException');
    await iam.send(new UntagUserCommand({ UserName: name, TagKeys: ['rekey:issuing:a'] }));
    const { Tags = [] } = await iam.send(new ListUserTagsCommand({ UserName: name }));
    expect(Tags.map(({ Key }) => Key)).not.toContain('rekey:issuing:a');
    await tag([{ Key: 'one-more', Value: '' }]);
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
  test('inline policies of a user share 2048 characters, and keep it from being deleted', async () => {
    const { name, credentials } = await makeUser();
    const put = (PolicyName: string, actions: number) =>
      iam.send(
        new PutUserPolicyCommand({
          UserName: name,
          PolicyName,
          PolicyDocument: JSON.stringify(
            {
              Version: '2012-10-17',
              Statement: { Effect: 'Allow', Action: Array(actions).fill('sqs:ListQueues'), Resource: '*' },
            },
            null,
            8,
          ),
        }),
      );
    await put('large', 90);
    expect(await refusalText(put('more', 20))).toBe(
      `LimitExceededException: Maximum policy size of 2048 bytes exceeded for user ${name}`,
    );
    await put('large', 20);
    await put('more', 20);
    await iam.send(new DeleteAccessKeyCommand({ UserName: name, AccessKeyId: credentials.accessKeyId }));
    const remove = () => iam.send(new DeleteUserCommand({ UserName: name }));
    expect(await refusal(remove())).toBe('DeleteConflictException');
    for (const PolicyName of ['granted', 'large', 'more']) {
      await iam.send(new DeleteUserPolicyCommand({ UserName: name, PolicyName }));
    }
    await remove();
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-tokenissuetime
  test('sessions outlive their key; aws:TokenIssueTime denies those issued before, and never a key itself', async () => {
    const { name, credentials } = await makeUser();
    const sts = new STSClient(cloud.clientOptions(credentials));
    const session = credentialsOf((await sts.send(new GetSessionTokenCommand({}))).Credentials);
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: mayList });
    const federated = credentialsOf(
      (await sts.send(new GetFederationTokenCommand({ Name: 'guest', Policy }))).Credentials,
    );
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
    const second = credentialsOf(AccessKey);
    await setStatus(name, credentials.accessKeyId, 'Inactive');
    await Promise.all([listQueues(session), listQueues(federated), listQueues(second)]);

    const denyBefore = (moment: number) =>
      iam.send(
        new PutUserPolicyCommand({
          UserName: name,
          PolicyName: 'revoked',
          PolicyDocument: JSON.stringify({
            Version: '2012-10-17',
            Statement: {
              Effect: 'Deny',
              Action: '*',
              Resource: '*',
              Condition: {
                DateLessThan: { 'aws:TokenIssueTime': `${new Date(moment).toISOString().slice(0, 19)}Z` },
              },
            },
          }),
        }),
      );
    await denyBefore(Date.now() - 3_600_000);
    await Promise.all([listQueues(session), listQueues(federated), listQueues(second)]);
    await denyBefore(Date.now() + 1_000);
    expect(await Promise.all([refusal(listQueues(session)), refusal(listQueues(federated))])).toEqual([
      'AccessDenied',
      'AccessDenied',
    ]);
    await listQueues(second);
    // https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUserPolicy.html
    const { PolicyDocument = '' } = await iam.send(
      new GetUserPolicyCommand({ UserName: name, PolicyName: 'revoked' }),
    );
    expect(JSON.parse(decodeURIComponent(PolicyDocument))).toHaveProperty('Statement.Effect', 'Deny');
  });
});
