import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalCloud } from '../../local/emulator/cloud.ts';
import type { Cleanup } from '../../local/process/cleanup.ts';
import { environmentName, type FurtherTarget } from '../../local/tour/deployment.ts';
import type { Target } from '../conformance/scene.ts';
import type { Participant } from './participant.ts';

type Json = Record<string, unknown>;

/** A target of the deployment, and what takes part with it. */
interface Further {
  readonly target: FurtherTarget;
  readonly participant: Participant;
}

/** The keys of a secret's JSON but for its password, which the first rotation brings. */
const fieldsOf = ({ password: _password, team: _team, nested: _nested, ...rest }: Json) =>
  Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as Record<
    string,
    string | number
  >;

/** Writes the authority of a target into a file. */
async function authorityOf(
  directory: string,
  name: string,
  { context }: Pick<Target, 'context'>,
): Promise<string> {
  const file = join(directory, `${name}-authority.pem`);
  await writeFile(file, context.certificateAuthorities?.join('\n') ?? '');
  return file;
}

/** The master user of a database of the cloud that everything is deployed on. */
export async function masterUser(directory: string, cloud: LocalCloud, cleanup: Cleanup): Promise<Further> {
  const { start } = await import('../conformance/drivers/rds-admin.ts');
  const server = await start({ cloud });
  cleanup.add(() => server.stop());
  const { secret } = await server.createAccount();
  const { dbClusterIdentifier: id } = secret;
  return {
    target: {
      existing: {},
      secrets: {
        reports: {
          type: 'rds-admin',
          strategy: 'single-user',
          owner: 'team-shop',
          create: { name: 'reports', fields: fieldsOf(secret) },
          resources: [`arn:aws:rds:${cloud.region}:${cloud.accountId}:cluster:${id}`],
          certificateAuthority: await authorityOf(directory, 'rds', server),
        },
      },
    },
    participant: {
      type: 'rds-admin',
      secret: `/${environmentName}/reports`,
      revocation: 'Secret Revocation Succeeded',
      accepts: (version) => server.logsIn(version as never),
      secretOf: ({ password }) => String(password),
    },
  };
}

/** A user of a cache of the cloud that everything is deployed on, with two passwords. */
export async function cacheUser(directory: string, cloud: LocalCloud, cleanup: Cleanup): Promise<Further> {
  const { start } = await import('../conformance/drivers/elasticache.ts');
  const server = await start({ cloud });
  cleanup.add(() => server.stop());
  const { secret } = await server.createAccount();
  const { user_arn: arn } = secret;
  return {
    target: {
      existing: {},
      secrets: {
        carts: {
          type: 'elasticache',
          strategy: 'dual-credential',
          owner: 'team-shop',
          create: { name: 'carts', fields: fieldsOf(secret) },
          resources: [String(arn)],
          certificateAuthority: await authorityOf(directory, 'cache', server),
        },
      },
    },
    participant: {
      type: 'elasticache',
      secret: `/${environmentName}/carts`,
      revocation: 'Secret Revocation Succeeded',
      accepts: (version) => server.logsIn(version as never),
      secretOf: ({ password }) => String(password),
    },
  };
}
