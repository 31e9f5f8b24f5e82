import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { CloudCredentials, LocalCloud } from './cloud.ts';

/** An IAM user, to whom policies apply as they do not to the account's root. */
export interface IamUser {
  readonly arn: string;
  readonly name: string;
  readonly credentials: CloudCredentials;
}

type Statement = Readonly<Record<string, unknown>>;

/** Creates an IAM user who may do what `statements` say, or everything: `'administrator'`. */
export async function createUser(
  cloud: LocalCloud,
  name: string,
  grants: 'administrator' | readonly Statement[],
): Promise<IamUser> {
  const iam = new IAMClient(cloud.clientOptions());
  const { User } = await iam.send(new CreateUserCommand({ UserName: name }));
  if (grants === 'administrator') {
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess';
    await iam.send(new AttachUserPolicyCommand({ UserName: name, PolicyArn }));
  } else if (grants.length > 0) {
    await iam.send(
      new PutUserPolicyCommand({
        UserName: name,
        PolicyName: 'granted',
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: grants }),
      }),
    );
  }
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
  if (!User?.Arn || !AccessKey?.AccessKeyId || !AccessKey.SecretAccessKey)
    throw new Error(`no key for ${name}`);
  return {
    arn: User.Arn,
    name,
    credentials: { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey },
  };
}

/** Assumes a role as `caller`, and gives the session's credentials. */
export async function assumeRole(
  cloud: LocalCloud,
  caller: CloudCredentials,
  roleArn: string,
  session: string,
): Promise<CloudCredentials> {
  const sts = new STSClient(cloud.clientOptions(caller));
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: session }),
  );
  if (!Credentials?.AccessKeyId || !Credentials.SecretAccessKey || !Credentials.SessionToken) {
    throw new Error(`STS gave no credentials for ${roleArn}`);
  }
  return {
    accessKeyId: Credentials.AccessKeyId,
    secretAccessKey: Credentials.SecretAccessKey,
    sessionToken: Credentials.SessionToken,
  };
}

/** Makes the environment variables with which a child process acts as these credentials. */
export function credentialVariables({
  accessKeyId,
  secretAccessKey,
  sessionToken,
}: CloudCredentials): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken ?? '',
  };
}
