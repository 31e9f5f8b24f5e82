import { rm } from 'node:fs/promises';
import { CloudFormationClient, CreateChangeSetCommand } from '@aws-sdk/client-cloudformation';
import { IAMClient, TagUserCommand } from '@aws-sdk/client-iam';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CloudCredentials, type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { assumeRole, createUser, type IamUser } from '../../local/emulator/principals.ts';
import { newFolder } from '../../local/process/folders.ts';
import { refusal } from './support/refusal.ts';
import { allow, deployStack } from './support/stack.ts';

const denied = 'AccessDeniedException';

describe('limits and variables of IAM', () => {
  let directory: string;
  let cloud: LocalCloud;
  let administrator: IamUser;

  beforeAll(async () => {
    directory = await newFolder('iam-boundaries');
    cloud = await startCloud({ directory });
    administrator = await createUser(cloud, 'administrator', 'administrator');
    const secrets = new SecretsManagerClient(cloud.clientOptions());
    for (const owner of ['orders', 'stock']) {
      const Tags = [{ Key: 'owner', Value: owner }];
      await secrets.send(new CreateSecretCommand({ Name: `of/${owner}`, SecretString: 'value', Tags }));
    }
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const describeAs = (credentials: CloudCredentials, SecretId: string) =>
    new SecretsManagerClient(cloud.clientOptions(credentials)).send(new DescribeSecretCommand({ SecretId }));
  const managed = (...Statement: object[]) => ({
    Type: 'AWS::IAM::ManagedPolicy',
    Properties: { PolicyDocument: { Version: '2012-10-17', Statement } },
  });
  const trusting = (Statement: readonly object[], properties: object = {}) => ({
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: { Version: '2012-10-17', Statement },
      ...properties,
    },
  });
  const trust = (Action: string, Condition?: object) => ({
    Effect: 'Allow',
    Principal: { AWS: cloud.accountId },
    Action,
    ...(Condition !== undefined && { Condition }),
  });

  // https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html: no interruption
  test('a stack gives a role its boundary, changes it, and takes it away', async () => {
    const everything = [
      { PolicyName: 'all', PolicyDocument: { Version: '2012-10-17', Statement: [allow('*')] } },
    ];
    const resources = (boundary?: string) => ({
      Narrow: managed(allow('ssm:*')),
      Wide: managed(allow('*'), { ...allow('ssm:PutParameter'), Effect: 'Deny' }),
      Role: trusting([trust('sts:AssumeRole')], {
        Policies: everything,
        ...(boundary !== undefined && { PermissionsBoundary: { Ref: boundary } }),
      }),
    });
    const stack = await deployStack(cloud, 'boundaries', resources('Narrow'));
    const may = async () => {
      const session = await assumeRole(cloud, administrator.credentials, stack.outputs.RoleArn ?? '', 'me');
      const ssm = new SSMClient(cloud.clientOptions(session));
      const put = new PutParameterCommand({ Name: 'one', Value: '1', Type: 'String', Overwrite: true });
      const answers = [describeAs(session, 'of/orders'), ssm.send(put)].map((answer) =>
        answer.then(
          () => 'allowed',
          (error: Error) => error.name,
        ),
      );
      return await Promise.all(answers);
    };
    expect(await may()).toEqual([denied, 'allowed']);
    await stack.update(resources('Wide'));
    expect(await may()).toEqual(['allowed', denied]);
    await stack.update(resources());
    expect(await may()).toEqual(['allowed', 'allowed']);
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
  describe('variables', () => {
    let users = 0;
    const tagged = async (owner: string | undefined, ...statements: object[]) => {
      users += 1;
      const user = await createUser(cloud, `tagged-${users}`, statements as never);
      if (owner !== undefined) {
        const Tags = [{ Key: 'owner', Value: owner }];
        await new IAMClient(cloud.clientOptions()).send(new TagUserCommand({ UserName: user.name, Tags }));
      }
      return user.credentials;
    };
    const ofOwner = (operator: string) => ({
      ...allow('secretsmanager:DescribeSecret'),
      // biome-ignore lint/suspicious/noTemplateCurlyInString: IAM fills it in.
      Condition: { [operator]: { 'aws:ResourceTag/owner': '${aws:PrincipalTag/owner}' } },
    });

    test('in a condition are the tags of the principal; without a value, nothing matches', async () => {
      const orders = await tagged('orders', ofOwner('StringEquals'));
      expect((await describeAs(orders, 'of/orders')).Name).toBe('of/orders');
      expect(await refusal(describeAs(orders, 'of/stock'))).toBe(denied);
      const nobody = await tagged(undefined, ofOwner('StringEquals'));
      expect(await refusal(describeAs(nobody, 'of/orders'))).toBe(denied);
    });

    test('in a resource, too', async () => {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: IAM fills it in.
      const resource = 'arn:aws:secretsmanager:*:*:secret:of/${aws:PrincipalTag/owner}-*';
      const statement = allow('secretsmanager:DescribeSecret', resource);
      const stock = await tagged('stock', statement);
      expect((await describeAs(stock, 'of/stock')).Name).toBe('of/stock');
      expect(await refusal(describeAs(stock, 'of/orders'))).toBe(denied);
    });
  });

  // https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html
  test('cloudformation:RoleArn is there when a change set brings a role of its own', async () => {
    const author = await createUser(cloud, 'author', [
      {
        ...allow('cloudformation:CreateChangeSet'),
        Condition: { Null: { 'cloudformation:RoleArn': 'true' } },
      },
    ]);
    const client = new CloudFormationClient(cloud.clientOptions(author.credentials));
    const open = (more: object) =>
      client.send(
        new CreateChangeSetCommand({ StackName: 'none', ChangeSetName: 'one', TemplateBody: '{', ...more }),
      );
    expect(await refusal(open({}))).toBe('ValidationError');
    const RoleARN = `arn:aws:iam::${cloud.accountId}:role/deployer`;
    expect(await refusal(open({ RoleARN }))).toMatch(/AccessDenied/);
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#ck_rolesessionname
  test('a trust policy that knows sts:RoleSessionName has one name for each caller', async () => {
    const named = (variable: string) =>
      trusting([trust('sts:AssumeRole', { StringEquals: { 'sts:RoleSessionName': variable } })]);
    const stack = await deployStack(cloud, 'session-names', {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: IAM fills it in.
      ByUser: named('${aws:username}'),
      // biome-ignore lint/suspicious/noTemplateCurlyInString: IAM fills it in.
      ByTag: named('${aws:PrincipalTag/mail}'),
    });
    const user = await createUser(cloud, 'ada', [allow('sts:AssumeRole')]);
    const Tags = [{ Key: 'mail', Value: 'ada@example.com' }];
    await new IAMClient(cloud.clientOptions()).send(new TagUserCommand({ UserName: user.name, Tags }));
    const sts = new STSClient(cloud.clientOptions(user.credentials));
    const take = async (role: 'ByUser' | 'ByTag', RoleSessionName: string) =>
      await sts
        .send(new AssumeRoleCommand({ RoleArn: stack.outputs[`${role}Arn`] ?? '', RoleSessionName }))
        .then(
          ({ AssumedRoleUser }) => AssumedRoleUser?.Arn?.split('/').at(-1),
          (error: Error) => error.name,
        );
    expect(await take('ByUser', 'ada')).toBe('ada');
    expect(await take('ByUser', 'bob')).toBe('AccessDenied');
    expect(await take('ByTag', 'ada@example.com')).toBe('ada@example.com');
    expect(await take('ByTag', 'ada')).toBe('AccessDenied');
    // Whose name no tag says gets no session.
    const other = await createUser(cloud, 'untagged', [allow('sts:AssumeRole')]);
    const assume = new AssumeRoleCommand({
      RoleArn: stack.outputs.ByTagArn ?? '',
      RoleSessionName: 'untagged',
    });
    expect(await refusal(new STSClient(cloud.clientOptions(other.credentials)).send(assume))).toBe(
      'AccessDenied',
    );
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
  test('a session has the tag that its role lets its caller pass, and no other', async () => {
    const own = {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: IAM fills it in.
      StringEquals: { 'aws:RequestTag/owner': '${aws:PrincipalTag/owner}' },
      'ForAllValues:StringEquals': { 'aws:TagKeys': ['owner'] },
    };
    const stack = await deployStack(cloud, 'session-tags', {
      Role: trusting([trust('sts:AssumeRole'), trust('sts:TagSession', own)], {
        Policies: [
          {
            PolicyName: 'owned',
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [
                {
                  ...allow('secretsmanager:DescribeSecret'),
                  // biome-ignore lint/suspicious/noTemplateCurlyInString: IAM fills it in.
                  Condition: { StringEquals: { 'aws:ResourceTag/owner': '${aws:PrincipalTag/owner}' } },
                },
              ],
            },
          },
        ],
      }),
    });
    const user = await createUser(cloud, 'of-orders', [allow(['sts:AssumeRole', 'sts:TagSession'])]);
    const Tags = [{ Key: 'owner', Value: 'orders' }];
    await new IAMClient(cloud.clientOptions()).send(new TagUserCommand({ UserName: user.name, Tags }));
    const sts = new STSClient(cloud.clientOptions(user.credentials));
    const RoleArn = stack.outputs.RoleArn ?? '';
    const assume = (tags: readonly { Key: string; Value: string }[]) =>
      sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me', Tags: [...tags] }));
    expect(await refusal(assume([{ Key: 'owner', Value: 'stock' }]))).toBe('AccessDenied');
    expect(await refusal(assume([...Tags, { Key: 'environment', Value: 'prod' }]))).toBe('AccessDenied');
    const { Credentials } = await assume(Tags);
    const session = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    expect((await describeAs(session, 'of/orders')).Name).toBe('of/orders');
    expect(await refusal(describeAs(session, 'of/stock'))).toBe(denied);
  });
});
