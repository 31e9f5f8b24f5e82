import type {
  ContainContext,
  ContainResult,
  Credentials,
  ProbeResult,
  TargetContext,
} from '../../core/rotator.ts';
import { type Worth, worthOf } from '../families/aws-api/reset.ts';
import { contain as containMysql } from '../mysql/contain.ts';
import { probe as probeMysql } from '../mysql/probe.ts';
import type { MysqlSecret } from '../mysql/schema.ts';
import { contain as containPostgres } from '../postgresql/contain.ts';
import { probe as probePostgres } from '../postgresql/probe.ts';
import type { PostgresSecret } from '../postgresql/schema.ts';
import { familyOfSecret, type MasterSecret, portOf } from './schema.ts';

/** Picks the driver that speaks to a database; undefined when none does. */
export function driverOf(secret: MasterSecret): 'postgresql' | 'redshift' | 'mysql' | undefined {
  const family = familyOfSecret(secret);
  switch (family) {
    case 'postgresql':
    case 'redshift':
    case 'mysql':
      return family;
    case 'mariadb':
      return 'mysql';
    default:
      return undefined;
  }
}

const asPostgres = (secret: MasterSecret): PostgresSecret => ({
  ...secret,
  engine: 'postgres',
  port: portOf(secret),
  dbname: secret.dbname || (familyOfSecret(secret) === 'redshift' ? 'dev' : null),
});
const asMysql = (secret: MasterSecret): MysqlSecret => ({
  ...secret,
  engine: familyOfSecret(secret) === 'mariadb' ? 'mariadb' : 'mysql',
});

/** Logs in where there is a driver; see {@link Rotator.probe}. */
export async function probe(secret: MasterSecret, context: TargetContext): Promise<ProbeResult> {
  switch (driverOf(secret)) {
    case 'postgresql':
    case 'redshift':
      return await probePostgres(asPostgres(secret), context);
    case 'mysql':
      return await probeMysql(asMysql(secret), context);
    default:
      return {
        outcome: 'unverifiable',
        note: `there is no driver for ${secret.engine} here to log in with; the API reported every change as applied before a rotation went on`,
      };
  }
}

/** Tries a login; `unknown` where there is no driver. */
export const tryLogin = async (secret: MasterSecret, context: TargetContext): Promise<Worth> =>
  worthOf(await probe(secret, context));

/**
 * Ends the other sessions of the master user, by itself, logged in with `working`.
 * @param rotatedAt - only those that began before, where the server knows when a session began; undefined: all
 * @throws TargetError
 */
export async function endSessions(
  leaked: MasterSecret,
  working: MasterSecret,
  context: ContainContext<MasterSecret>,
  rotatedAt: Date | undefined,
): Promise<ContainResult> {
  const { rotatedAt: _whole, credentials: _all, ...rest } = context;
  const since = rotatedAt === undefined ? {} : { rotatedAt };
  switch (driverOf(working)) {
    case 'postgresql':
      return await containPostgres(asPostgres(leaked), {
        ...rest,
        ...since,
        credentials: alone(asPostgres(working)),
      });
    case 'mysql':
      return await containMysql(asMysql(leaked), {
        ...rest,
        ...since,
        credentials: alone(asMysql(working)),
      });
    default:
      return { loginsRefused: true, sessionsEnded: 0, note: sessionsGoOn(working) };
  }
}

/** Says why sessions go on where no driver can end them. */
export const sessionsGoOn = ({ engine, username }: MasterSecret): string =>
  `sessions of "${username}" that are open go on: ending them on ${engine} is not supported, end them at the database or reboot it`;

const alone = <S>(current: S): Credentials<S> => ({
  current,
  admin: async () => undefined,
  previous: async () => undefined,
  async *others() {},
  // There is no admin who could act for anybody.
  isAssigned: async () => false,
});
