import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { CloudCredentials, LocalCloud } from './cloud.ts';

/** An IAM administrator: unlike the account's root, policies apply to it. */
export async function createAdministrator(cloud: LocalCloud, name: string): Promise<CloudCredentials> {
  const iam = new IAMClient(cloud.clientOptions());
  await iam.send(new CreateUserCommand({ UserName: name }));
  await iam.send(
    new AttachUserPolicyCommand({ UserName: name, PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' }),
  );
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
  if (!AccessKey?.AccessKeyId || !AccessKey.SecretAccessKey) {
    throw new Error(`IAM made no access key for ${name}`);
  }
  return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
}

/** A session of a role, assumed by `caller`. */
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

/** Environment variables that make a child process act as these credentials. */
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
