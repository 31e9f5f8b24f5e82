import { randomUUID } from 'node:crypto';
import {
  CreateAccessKeyCommand,
  GetUserPolicyCommand,
  ListAccessKeysCommand,
  ListUserTagsCommand,
  TagUserCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { policyName } from '../../rotators/iam-access-key/revocation-policy.ts';
import type { IamAccessKeySecret } from '../../rotators/iam-access-key/schema.ts';
import type { IamUnderTest } from './drivers/iam-access-key.ts';
import { Scene, type Target } from './scene.ts';

/** A user with a key and a secret, and a look at what IAM has of it. */
export async function userOn(target: IamUnderTest) {
  const account = await target.createAccount();
  const scene = new Scene(target as unknown as Target, 'dual-credential', account as never);
  const UserName = account.secret.username;
  return {
    scene,
    UserName,
    current: () => scene.current as unknown as IamAccessKeySecret,
    propose: async (token?: string) => (await scene.propose(token)) as unknown as IamAccessKeySecret,
    rotate: async () => (await scene.rotate()) as unknown as IamAccessKeySecret,
    contain: (leaked: IamAccessKeySecret, rotatedAt?: Date) => scene.contain(leaked as never, rotatedAt),
    codes: () => scene.findings.map(({ code }) => code),
    keyIds: async () => {
      const { AccessKeyMetadata = [] } = await target.iam.send(new ListAccessKeysCommand({ UserName }));
      return AccessKeyMetadata.map(({ AccessKeyId = '' }) => AccessKeyId);
    },
    makeKey: async (): Promise<IamAccessKeySecret> => {
      const { AccessKey } = await target.iam.send(new CreateAccessKeyCommand({ UserName }));
      const { AccessKeyId, SecretAccessKey } = AccessKey ?? {};
      return { username: UserName, accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey };
    },
    setStatus: (AccessKeyId: string | undefined, Status: 'Active' | 'Inactive') =>
      target.iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status })),
    leaveMark: (began: Date, owner: string | undefined) =>
      target.iam.send(
        new TagUserCommand({
          UserName,
          Tags: [{ Key: `rekey:issuing:${randomUUID()}`, Value: `${began.toISOString()}/${owner}` }],
        }),
      ),
    marks: async () => {
      const { Tags = [] } = await target.iam.send(new ListUserTagsCommand({ UserName }));
      return Tags.flatMap(({ Key = '' }) => (Key.startsWith('rekey:issuing:') ? [Key] : []));
    },
    policy: async () => {
      const answer = await target.iam.send(new GetUserPolicyCommand({ UserName, PolicyName: policyName }));
      return decodeURIComponent(answer.PolicyDocument ?? '');
    },
  };
}
