import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import type { CloudCredentials, LocalCloud } from '../../../local/cloud.ts';

/** An IAM user made for a test, to whom policies apply as they do not to the account's root. */
export interface TestUser {
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
): Promise<TestUser> {
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
