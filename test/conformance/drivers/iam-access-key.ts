import { readFile, rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteRolePolicyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListUserPoliciesCommand,
  NoSuchEntityException,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateFunctionCommand, LambdaClient, waitUntilFunctionActiveV2 } from '@aws-sdk/client-lambda';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { build } from 'esbuild';
import type { IssuingRotator } from '../../../core/rotator.ts';
import { type CloudCredentials, type LocalCloud, startCloud } from '../../../local/emulator/cloud.ts';
import { assumeRole } from '../../../local/emulator/principals.ts';
import { newFolder } from '../../../local/process/folders.ts';
import { createAuthority } from '../../../local/servers/certificates.ts';
import { documented } from '../../../local/servers/documented.ts';
import type { IamAccessKeyOptions, SessionCutoff } from '../../../rotators/iam-access-key/aws.ts';
import { createIamAccessKey } from '../../../rotators/iam-access-key/rotator.ts';
import { type IamAccessKeySecret, keyOf } from '../../../rotators/iam-access-key/schema.ts';
import { cutoffBy } from '../../../rotators/iam-access-key/session-cutoff-call.ts';
import { zipOf } from '../../local/support/zip.ts';
import { servedBy } from '../deployed.ts';
import { openDoor } from '../door.ts';
import { unknownKeys } from '../login.ts';
import { patience, runLivesAmongManyMs, runLivesMs } from '../pace.ts';
import { type Call, recorded } from '../recorded.ts';
import type { Account, TargetUnderTest } from '../target.ts';

const path = '/apps/';
/** The name of the function that ends sessions. */
const sessionCutoff = 'rekey-test-session-cutoff';

/** The functions, each with a role of its own. */
type FunctionRole = 'rotation' | 'containment' | 'session-cutoff';

/** The policy of the documentation that follows the given marker. */
export async function documentedPolicy(marker: FunctionRole): Promise<{
  Version: string;
  Statement: { Effect: string; Action: string[]; Resource: string | string[]; Condition?: object }[];
}> {
  const { Version, Statement } = JSON.parse(await documented('iam-access-key', marker));
  return { Version, Statement: [Statement].flat() };
}

/** IAM of the local cloud as the suite and the tests of what is special about the type use it. */
export interface IamUnderTest extends TargetUnderTest<IamAccessKeySecret> {
  readonly rotator: IssuingRotator<IamAccessKeySecret>;
  readonly cloud: LocalCloud;
  /** As the account's root. */
  readonly iam: IAMClient;
  /** A rotator with the roles of the functions, made with other options. */
  rotatorWith(options: IamAccessKeyOptions, port?: number): IssuingRotator<IamAccessKeySecret>;
  /** What the rotators have asked for, in order, tries again included. */
  readonly calls: Call[];
  /** Leaves the functions the user of this secret alone, as `resources` of one that names its own does. */
  onlyFor(secret: IamAccessKeySecret): Promise<void>;
  /** Denies one of the functions an action on one user. */
  deny(role: FunctionRole, action: string, username: string): Promise<void>;
  userArn(username: string): string;
  /** What a containment function holds, for whoever has taken it over. */
  readonly containment: { readonly credentials: CloudCredentials; readonly sessionCutoff: string };
}

export async function start(): Promise<IamUnderTest> {
  const directory = await newFolder('iam');
  const cloud = await startCloud({ directory });
  const authority = await createAuthority();
  const door = await openDoor(cloud.port, authority);
  const ca = await readFile(cloud.certificateAuthorityFile, 'utf8');
  const agent = new Agent({ ca: [ca, authority.cert], keepAlive: true, maxSockets: 64 });
  const clientOptions = (credentials?: CloudCredentials) => ({
    ...cloud.clientOptions(credentials),
    requestHandler: { httpsAgent: agent },
    maxAttempts: 1,
  });
  const iam = new IAMClient({ ...clientOptions(), maxAttempts: 3 });
  const userArn = (username: string) => `arn:aws:iam::${cloud.accountId}:user${path}${username}`;

  const denied: Partial<Record<FunctionRole, object[]>> = {};
  const writeDenials = async (role: FunctionRole, statement: object) => {
    const Statement = [...(denied[role] ?? []), statement];
    denied[role] = Statement;
    await putDenials(role, Statement);
  };
  const putDenials = async (role: FunctionRole, Statement: object[]) => {
    const policy = { RoleName: `rekey-${role}`, PolicyName: 'denied' };
    // IAM takes no policy without a statement.
    if (Statement.length === 0) {
      await iam.send(new DeleteRolePolicyCommand(policy));
      return;
    }
    await iam.send(
      new PutRolePolicyCommand({
        ...policy,
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
      }),
    );
  };
  /** A role with the documented permissions on the users of the suite, and no others. */
  const roleOf = async (role: FunctionRole, principal: object): Promise<string> => {
    const RoleName = `rekey-${role}`;
    const trust = {
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' },
    };
    const { Role } = await iam.send(
      new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) }),
    );
    // IAM asks for a user that is gone by its name alone, since nothing knows its path any more.
    await permit(role, [userArn('*'), `arn:aws:iam::${cloud.accountId}:user/gone`]);
    return Role?.Arn ?? '';
  };
  const permit = async (role: FunctionRole, users: string[]) => {
    const policy = await documentedPolicy(role);
    for (const statement of policy.Statement) {
      statement.Resource = /:function:/.test(String(statement.Resource))
        ? `arn:aws:lambda:${cloud.region}:${cloud.accountId}:function:${sessionCutoff}`
        : users;
    }
    const PolicyDocument = JSON.stringify(policy);
    const request = { RoleName: `rekey-${role}`, PolicyName: 'documented', PolicyDocument };
    await iam.send(new PutRolePolicyCommand(request));
  };
  const sessionOf = async (role: FunctionRole) => {
    const arn = await roleOf(role, { AWS: `arn:aws:iam::${cloud.accountId}:root` });
    return await assumeRole(cloud, cloud.clientOptions().credentials, arn, 'function');
  };
  const [rotation, containment] = [await sessionOf('rotation'), await sessionOf('containment')];
  await deploySessionCutoff(cloud, await roleOf('session-cutoff', { Service: 'lambda.amazonaws.com' }));

  const calls: Call[] = [];
  const handler = withErrorsOfThisRealm(new IAMClient(clientOptions()).config.requestHandler);
  const requestHandler = recorded(handler, calls);
  const rotatorWith: IamUnderTest['rotatorWith'] = (options, port = door.port) => {
    const as = (credentials: CloudCredentials, cutoff?: SessionCutoff) =>
      createIamAccessKey({
        patienceMs: 1_000,
        runLivesMs,
        ...(cutoff !== undefined && { cutoff }),
        ...options,
        aws: {
          endpoint: `https://127.0.0.1:${port}`,
          region: cloud.region,
          credentials,
          requestHandler,
          ...options.aws,
        },
      });
    const region = { region: cloud.region, requestHandler } as const;
    const cutoff = cutoffBy(sessionCutoff, {
      ...region,
      endpoint: `https://127.0.0.1:${port}`,
      credentials: containment,
      ...options.aws,
    });
    const { contain } = as(containment, cutoff);
    return { ...as(rotation), contain };
  };

  const removeUser = async (UserName: string) => {
    const { AccessKeyMetadata = [] } = await iam.send(new ListAccessKeysCommand({ UserName }));
    for (const { AccessKeyId } of AccessKeyMetadata) {
      await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }));
    }
    const { PolicyNames = [] } = await iam.send(new ListUserPoliciesCommand({ UserName }));
    for (const PolicyName of PolicyNames) {
      await iam.send(new DeleteUserPolicyCommand({ UserName, PolicyName }));
    }
    await iam.send(new DeleteUserCommand({ UserName }));
  };

  let accounts = 0;
  const createAccount: IamUnderTest['createAccount'] = async (options = {}) => {
    accounts += 1;
    const username = `${options.name ?? 'app'}${options.exact ? '' : `_${accounts}`}`;
    if (options.exact) {
      await removeUser(username).catch((error: unknown) => {
        if (!(error instanceof NoSuchEntityException)) throw error;
      });
    }
    await iam.send(new CreateUserCommand({ UserName: username, Path: path }));
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: 'sqs:ListQueues', Resource: '*' },
    });
    await iam.send(
      new PutUserPolicyCommand({ UserName: username, PolicyName: 'application', PolicyDocument }),
    );
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: username }));
    const secret: IamAccessKeySecret = {
      username,
      accessKeyId: AccessKey?.AccessKeyId,
      secretAccessKey: AccessKey?.SecretAccessKey,
      region: cloud.region,
      ...unknownKeys,
    };
    return { secret, admin: secret };
  };

  /** Whether an application can use these credentials, asked of a service that has nothing to do with STS. */
  const works = async (credentials: CloudCredentials): Promise<boolean> => {
    const client = new SQSClient(clientOptions(credentials));
    try {
      await client.send(new ListQueuesCommand({}));
      return true;
    } catch (error) {
      // Only an answer of the service says something about the credentials.
      if (
        typeof (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode !== 'number'
      ) {
        throw error;
      }
      return false;
    }
  };
  const mayNotInvoke = {
    name: 'lambda:InvokeFunction',
    strategies: ['dual-credential'] as const,
    act: 'contain' as const,
    names: 'lambda:InvokeFunction on the function',
    remove: () =>
      writeDenials('containment', { Effect: 'Deny', Action: 'lambda:InvokeFunction', Resource: '*' }),
    restore: async () => {
      denied.containment = denied.containment?.slice(0, -1) ?? [];
      await putDenials('containment', denied.containment);
    },
  };
  const deny: IamUnderTest['deny'] = (role, action, username) =>
    writeDenials(role, { Effect: 'Deny', Action: action, Resource: userArn(username) });
  const missing = (role: FunctionRole, action: string) => ({
    name: action,
    strategies: ['dual-credential'] as const,
    act: role === 'rotation' ? ('apply' as const) : ('contain' as const),
    names: action,
    remove: async ({ secret }: Account<IamAccessKeySecret>) => {
      await deny(role, action, secret.username);
      // Marks of the first rotation are removed once it cannot be alive any more.
      await sleep(action === 'iam:UntagUser' ? runLivesMs : 0);
    },
  });
  const trail = async () => {
    const found: string[] = [];
    let NextToken: string | undefined;
    do {
      const page: { Events: { CloudTrailEvent: string }[]; NextToken?: string } = await lookupEvents(
        cloud,
        agent,
        NextToken,
      );
      found.push(...page.Events.map(({ CloudTrailEvent }) => CloudTrailEvent));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return found.join('\n');
  };

  return {
    rotator: rotatorWith({}),
    server: 'MiniStack 1.5 (emulator)',
    context: patience,
    cloud,
    iam,
    rotatorWith,
    createAccount,
    deny,
    userArn,
    calls,
    onlyFor: async ({ username }) => {
      for (const role of ['rotation', 'containment', 'session-cutoff'] as const) {
        await permit(role, [userArn(username)]);
      }
    },
    containment: { credentials: containment, sessionCutoff },
    withPassword: (secret, secretAccessKey) => ({ ...secret, secretAccessKey }),
    passwordOf: ({ secretAccessKey }) => secretAccessKey ?? '',
    changing: ['accessKeyId', 'secretAccessKey'],
    logsIn: async (secret) => {
      const key = keyOf(secret);
      return key !== undefined && (await works(key));
    },
    async openSession(secret) {
      const client = new STSClient(clientOptions(keyOf(secret)));
      const { Credentials } = await client.send(new GetSessionTokenCommand({}));
      const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
      const session = {
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        sessionToken: SessionToken,
      };
      return { alive: () => works(session), close: async () => undefined };
    },
    countsSessions: false,
    sessionsToldApart: () => undefined,
    settlesAfterMs: runLivesAmongManyMs + 50,
    port: cloud.port,
    deployed: { environment: await servedBy(cloud, ['IAM', 'STS'], rotation) },
    through: (port) => ({
      rotator: rotatorWith({ patienceMs: 300, runLivesMs: runLivesAmongManyMs }, port),
      secret: (secret) => secret,
    }),
    awkward: {
      names: ['MixedCase', 'a+b=c,d.e@f-g_h', '_', '@', '..', '=', '+1', '0', 'default', 'x'.repeat(64)],
      passwords: [],
    },
    outages: [
      {
        name: 'nothing listens',
        code: 'TargetUnreachable',
        begin: () => door.shut(),
        end: () => door.open(),
      },
      {
        name: 'connections are taken and nothing is said',
        code: 'TargetUnreachable',
        silent: true,
        begin: () => door.hang(),
        end: () => door.open(),
      },
      {
        name: 'the certificate is for another host',
        code: 'TlsRefused',
        begin: () => door.present({ hosts: ['iam.example'] }),
        end: () => door.open(),
      },
      {
        name: 'the certificate has expired',
        code: 'TlsRefused',
        begin: () => door.present({ expired: true }),
        end: () => door.open(),
      },
      {
        name: 'the certificate is by an unknown authority',
        code: 'TlsRefused',
        begin: () => door.present({ unknownAuthority: true }),
        end: () => door.open(),
      },
    ],
    missingPermissions: [
      ...['ListAccessKeys', 'ListUserTags', 'TagUser', 'UntagUser', 'CreateAccessKey', 'DeleteAccessKey'].map(
        (action) => missing('rotation', `iam:${action}`),
      ),
      mayNotInvoke,
      missing('containment', 'iam:UpdateAccessKey'),
      ...['GetUserPolicy', 'PutUserPolicy'].map((action) => missing('session-cutoff', `iam:${action}`)),
    ],
    logged: 'CreateAccessKey',
    readLog: async () => `${await readFile(cloud.logFile, 'utf8')}\n${await trail()}`,
    async stop() {
      agent.destroy();
      await door.close();
      await cloud.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Deploys the function that ends sessions, as a bundle of the code that is deployed for it. */
async function deploySessionCutoff(cloud: LocalCloud, Role: string): Promise<void> {
  const entry = fileURLToPath(import.meta.resolve('../../../lambdas/functions/session-cutoff.handler.ts'));
  const bundled = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
  });
  const lambda = new LambdaClient(cloud.clientOptions());
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: sessionCutoff,
      Role,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Timeout: 14,
      Code: { ZipFile: zipOf('index.js', bundled.outputFiles?.[0]?.text ?? '') },
      Environment: { Variables: { REKEY_ENVIRONMENT: 'test', POWERTOOLS_DEV: 'false' } },
    }),
  );
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 60 }, { FunctionName: sessionCutoff });
}

type RequestHandler = IAMClient['config']['requestHandler'];

/**
 * Jest runs modules in a realm of its own, where errors of Node's core are no `Error`; the SDK would put ones without
 * a code in their place, and not try again where it does outside.
 */
function withErrorsOfThisRealm(handler: RequestHandler): RequestHandler {
  return new Proxy(handler, {
    get(of, property) {
      const member: unknown = Reflect.get(of, property, of);
      if (typeof member !== 'function') return member;
      if (property !== 'handle') return member.bind(of);
      return async (...parameters: unknown[]) => {
        try {
          return await member.apply(of, parameters);
        } catch (error) {
          const { name, message, code } = error as { name: string; message: string; code?: string };
          throw Object.assign(new Error(message), { name, ...(code !== undefined && { code }) });
        }
      };
    },
  });
}

/** One page of the local cloud's CloudTrail, as the account's root. */
async function lookupEvents<T>(cloud: LocalCloud, agent: Agent, NextToken: string | undefined): Promise<T> {
  return await new Promise((resolve, reject) => {
    const outgoing = request(
      cloud.endpoint,
      {
        agent,
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents',
          authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${cloud.region}/cloudtrail/aws4_request, SignedHeaders=host, Signature=0`,
        },
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          body += text;
        });
        response.on('end', () =>
          response.statusCode === 200 ? resolve(JSON.parse(body)) : reject(new Error(body)),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify({ MaxResults: 50, ...(NextToken !== undefined && { NextToken }) }));
  });
}
