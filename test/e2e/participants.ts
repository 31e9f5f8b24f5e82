import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { LocalCloud } from '../../local/emulator/cloud.ts';
import type { Cleanup } from '../../local/process/cleanup.ts';
import { type CacheLogin, cacheAccepts } from '../../local/servers/cache.ts';
import { startGitLab } from '../../local/servers/gitlab.ts';
import { environmentName, type FurtherTarget, type LocalDeployment } from '../../local/tour/deployment.ts';
import { succeeds } from '../conformance/login.ts';
import { availableTypes, startTarget } from '../conformance/scene.ts';
import { deployRotationFunction } from '../local/support/rotation.ts';
import type { Participant } from './participant.ts';
import { cacheUser, masterUser } from './participants-aws.ts';

/** What takes part besides PostgreSQL and the cache, with the files it needs in `directory`. */
export async function startFurther(
  directory: string,
  cloud: LocalCloud,
  cleanup: Cleanup,
): Promise<{
  readonly targets: readonly FurtherTarget[];
  readonly participants: readonly Participant[];
}> {
  const further = [
    ...(availableTypes.includes('mysql') ? [await mysql(directory)] : []),
    await iamAccessKey(cloud),
    await http(directory, cleanup),
    await masterUser(directory, cloud, cleanup),
    ...(availableTypes.includes('elasticache') ? [await cacheUser(directory, cloud, cleanup)] : []),
    generic,
    await external(cloud),
  ];
  return {
    targets: further.map(({ target }) => target),
    participants: further.map(({ participant }) => participant),
  };
}

/** A value that nobody but its consumers knows. */
const generic: { target: FurtherTarget; participant: Participant } = {
  target: {
    existing: { 'partner-token': { rotates: ['apiToken'], apiToken: 'first token of the partner' } },
    secrets: {
      partner: {
        type: 'generic',
        strategy: 'single-user',
        adopt: `/${environmentName}/partner-token`,
        owner: 'team-shop',
        consumers: ['shop'],
      },
    },
  },
  participant: {
    type: 'generic',
    secret: `/${environmentName}/partner-token`,
    revocation: 'Secret Revocation Unproven',
    secretOf: ({ apiToken }) => String(apiToken),
  },
};

/** A secret whose rotation function knows nothing of Rekey. */
async function external(cloud: LocalCloud): Promise<{ target: FurtherTarget; participant: Participant }> {
  const { arn } = await deployRotationFunction(cloud, true, 'foreign');
  return {
    target: {
      existing: {
        ledger: { engine: 'oracle', username: 'ledger_app', password: 'first password of the ledger' },
      },
      secrets: {
        ledger: {
          type: 'external',
          strategy: 'single-user',
          rotationFunction: arn,
          adopt: `/${environmentName}/ledger`,
          rotateOnDeploy: true,
          owner: 'team-shop',
          consumers: ['ledger'],
        },
      },
    },
    participant: {
      type: 'external',
      secret: `/${environmentName}/ledger`,
      revocation: 'Secret Revocation Unproven',
      secretOf: ({ password }) => String(password),
    },
  };
}

/** The secret of the tour, with two passwords. */
export const cache = ({ cache: server }: LocalDeployment): readonly Participant[] =>
  server === undefined
    ? []
    : [
        {
          type: 'redis',
          secret: `/${environmentName}/sessions`,
          revocation: 'Secret Revocation Succeeded',
          accepts: (version) => cacheAccepts(version as unknown as CacheLogin, server.caPem),
          secretOf: ({ password }) => String(password),
        },
      ];

/** A user of the cloud itself, whose first key the first rotation makes. */
async function iamAccessKey(cloud: LocalCloud): Promise<{ target: FurtherTarget; participant: Participant }> {
  const iam = new IAMClient(cloud.clientOptions());
  const { User } = await iam.send(new CreateUserCommand({ UserName: 'shipping', Path: '/apps/' }));
  return {
    target: {
      existing: {},
      secrets: {
        shipping: {
          type: 'iam-access-key',
          strategy: 'dual-credential',
          create: { name: 'shipping', fields: { username: 'shipping', region: cloud.region } },
          resources: [User?.Arn ?? ''],
          owner: 'team-shop',
        },
      },
    },
    participant: {
      type: 'iam-access-key',
      secret: `/${environmentName}/shipping`,
      revocation: 'Secret Revocation Succeeded',
      accepts: async ({ accessKeyId, secretAccessKey }) => {
        if (accessKeyId === undefined) return false;
        const key = { accessKeyId: String(accessKeyId), secretAccessKey: String(secretAccessKey) };
        return await succeeds(new STSClient(cloud.clientOptions(key)).send(new GetCallerIdentityCommand({})));
      },
      secretOf: ({ secretAccessKey }) => String(secretAccessKey),
    },
  };
}

/** MariaDB with two users in turns; its admin has the documented permissions and no others. */
async function mysql(directory: string): Promise<{ target: FurtherTarget; participant: Participant }> {
  const server = await startTarget('mysql');
  const { secret, admin } = await server.createAccount();
  const certificateAuthority = join(directory, 'mysql-authority.pem');
  await writeFile(certificateAuthority, server.context.certificateAuthorities?.join('\n') ?? '');
  const { engine, host, port, username, dbname } = secret as Record<string, string | number>;
  const fields = Object.fromEntries(
    Object.entries({ engine, host, port, username, dbname }).filter(([, value]) => value !== undefined),
  ) as Record<string, string | number>;
  return {
    target: {
      existing: { 'stock-admin': admin },
      secrets: {
        inventory: {
          type: 'mysql',
          strategy: 'alternating-users',
          create: { name: 'inventory', fields },
          adminSecret: { adopt: `/${environmentName}/stock-admin` },
          owner: 'team-shop',
          certificateAuthority,
        },
      },
    },
    participant: {
      type: 'mysql',
      secret: `/${environmentName}/inventory`,
      revocation: 'Secret Revocation Succeeded',
      accepts: (version) => server.logsIn(version),
      secretOf: ({ password }) => String(password),
    },
  };
}

/** An access token by a recipe that ships, at a server that keeps tokens as GitLab does; adopted as it stands. */
async function http(
  directory: string,
  cleanup: Cleanup,
): Promise<{ target: FurtherTarget; participant: Participant }> {
  const gitlab = await startGitLab();
  cleanup.add(() => gitlab.stop());
  const certificateAuthority = join(directory, 'gitlab-authority.pem');
  await writeFile(certificateAuthority, gitlab.caPem);
  const { host } = gitlab;
  const project = 'shop/pipeline';
  const { id, token } = gitlab.issue(project);
  const adminSecret = `/${environmentName}/gitlab-admin`;
  return {
    target: {
      existing: {
        'gitlab-admin': { service: 'gitlab', host, project, token: gitlab.adminToken },
        pipeline: {
          recipe: 'gitlab-project-access-token',
          host,
          project,
          masterarn: adminSecret,
          scopes: ['read_api'],
          accessLevel: 20,
          days: 30,
          id: String(id),
          token,
        },
      },
      secrets: {
        pipeline: {
          type: 'http',
          strategy: 'dual-credential',
          owner: 'team-shop',
          adopt: `/${environmentName}/pipeline`,
          adminSecret: { adopt: adminSecret },
          certificateAuthority,
          allowPrivateAddresses: true,
        },
      },
    },
    participant: {
      type: 'http',
      secret: `/${environmentName}/pipeline`,
      revocation: 'Secret Revocation Succeeded',
      accepts: (version) => gitlab.accepts(String(version.token)),
      secretOf: (version) => String(version.token),
    },
  };
}
