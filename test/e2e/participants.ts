import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CacheLogin, cacheAccepts } from '../../local/cache.ts';
import { environmentName, type FurtherTarget, type LocalDeployment } from '../../local/deployment.ts';
import type { SecretType } from '../../rotators/registry.ts';
import { availableTypes, startTarget } from '../conformance/scene.ts';

type Json = Record<string, unknown>;

/** A secret of one type in the common deployment, and how its target is asked without Rekey. */
export interface Participant {
  readonly type: SecretType;
  readonly secret: string;
  /** How a revocation of it ends. */
  readonly revocation: 'Secret Revocation Succeeded' | 'Secret Revocation Unproven';
  /** Whether the target accepts this version; undefined where there is no target to ask. */
  accepts?(version: Json): Promise<boolean>;
  /** What of a version must be found nowhere but in Secrets Manager and the target. */
  secretOf(version: Json): string;
}

/** What takes part besides PostgreSQL and the cache, with the files it needs in `directory`. */
export async function startFurther(directory: string): Promise<{
  readonly targets: readonly FurtherTarget[];
  readonly participants: readonly Participant[];
}> {
  const database = availableTypes.includes('mysql') ? [await mysql(directory)] : [];
  return {
    targets: database.map(({ target }) => target),
    participants: database.map(({ participant }) => participant),
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
