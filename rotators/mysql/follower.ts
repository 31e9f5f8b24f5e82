import type { ApplyContext } from '../../core/rotator.ts';
import { using } from '../transport/login.ts';
import {
  type Account,
  changePermission,
  identified,
  readAccounts,
  readGrants,
  setPassword,
} from './account.ts';
import { openServer, type Server, type Session } from './connection.ts';
import { changes, type Grants } from './grants.ts';
import type { MysqlSecret } from './schema.ts';
import { accountName, literal, quote } from './sql.ts';
import { runInSomeForm } from './statement-forms.ts';

type Context = ApplyContext<MysqlSecret>;

/** The admin's session on the server, with what it needs to make accounts. */
export interface Workplace {
  readonly session: Session;
  readonly server: Server;
  readonly next: MysqlSecret;
  readonly context: Context;
}

/**
 * Makes a password that nobody knows, until the account has everything else. It has all four kinds of characters, for password
 * policies.
 */
const unknown = ({ context }: Workplace) =>
  `${Buffer.from(context.random.bytes(32)).toString('base64url')}aA1!`;

/** Numbers of errors of granting on a table, column, routine or role that is gone. The grant on it is still listed. */
const gone = [1054, 1146, 1147, 1141, 1269, 1305, 3523];

/**
 * Makes the accounts of the user `next.username` what those of the other are. They get the same hosts, conditions and limits of
 * connections, privileges, roles and default roles. It changes only what differs, and revokes what the other no longer has.
 * @param all - the accounts of the other with those that have no password to rotate: at their hosts nothing is changed
 * @returns the accounts at the hosts of `anchors` as they are then
 */
export async function follow(
  place: Workplace,
  anchors: readonly Account[],
  all: readonly Account[],
): Promise<Account[]> {
  const { session, server, next } = place;
  await matchHosts(place, anchors, new Set(all.map(({ host }) => host)));
  const accounts = (await readAccounts(session, server, next.username)).filter(({ host }) =>
    anchors.some((anchor) => anchor.host === host),
  );
  const byHost = new Map(accounts.map((account) => [account.host, account]));
  const lacking: [Account, Account][] = [];
  for (const anchor of anchors) {
    const account = byHost.get(anchor.host);
    if (account === undefined) continue;
    if (account.limits !== anchor.limits) await copyLimits(session, account, anchor);
    const { roles } = await copyGrants(place, account, anchor);
    // MariaDB keeps a default role that was revoked. It takes no effect, and nobody else can be given it.
    const defaultRoles = anchor.defaultRoles.filter((role) => !server.mariadb || roles.has(role));
    if (account.defaultRoles.join() !== defaultRoles.join())
      lacking.push([account, { ...anchor, defaultRoles }]);
  }
  if (lacking.length > 0) await copyDefaultRoles(place, accounts, lacking);
  return accounts;
}

async function matchHosts(
  place: Workplace,
  anchors: readonly Account[],
  wanted: ReadonlySet<string>,
): Promise<void> {
  const { session, server, next } = place;
  const accounts = await readAccounts(session, server, next.username);
  const hosts = new Set(accounts.map(({ host }) => host));
  for (const anchor of anchors) {
    if (hosts.has(anchor.host)) continue;
    const name = accountName({ user: next.username, host: anchor.host });
    const plugin = anchor.plugin || 'mysql_native_password';
    const create = `CREATE USER IF NOT EXISTS ${name}`;
    const password = unknown(place);
    await runInSomeForm(
      session,
      server,
      {
        withHash: `${create} ${identified(server, plugin, password)} ${anchor.limits}`,
        // The binary log gets this one as it is; it is replaced before the account is unlocked.
        plain: `${create} IDENTIFIED BY ${literal(password)} ${anchor.limits} ACCOUNT LOCK`,
      },
      { doing: `create ${name}`, missing: changePermission(session) },
    );
  }
  for (const account of accounts) {
    if (wanted.has(account.host)) continue;
    const name = accountName(account);
    await session.run(`DROP USER ${name}`, { doing: `drop ${name}`, missing: changePermission(session) });
  }
}

async function copyLimits(session: Session, account: Account, anchor: Account): Promise<void> {
  const name = accountName(account);
  await session.run(`ALTER USER ${name} ${anchor.limits}`, {
    doing: `give ${name} the conditions and limits of ${accountName(anchor)}`,
    missing: changePermission(session),
  });
}

/** Copies what the anchor may do to an account. @returns what the anchor may do */
async function copyGrants(
  { session, context }: Workplace,
  account: Account,
  anchor: Account,
): Promise<Grants> {
  const wanted = await readGrants(session, anchor);
  const present = await readGrants(session, account);
  const skipped: string[] = [];
  for (const { sql, doing, missing } of changes(
    wanted,
    present,
    accountName(account),
    quote(session.place.username),
  )) {
    const failure = await inModeOf(session, sql, () => session.attempt(sql, { doing, missing }, gone));
    if (failure !== undefined) skipped.push(`${doing} (${failure})`);
  }
  if (skipped.length > 0) {
    context.finding({
      code: 'GrantNotCopied',
      message: `what is granted to ${accountName(anchor)} is no longer there, so the admin could not ${skipped.join(', ')}`,
    });
  }
  return wanted;
}

/**
 * Runs work in the mode that its statement needs. Packages exist in MariaDB's mode of Oracle alone, and `SHOW GRANTS` lists them
 * in any.
 */
async function inModeOf<T>(session: Session, sql: string, work: () => Promise<T>): Promise<T> {
  if (!/ ON PACKAGE /.test(sql)) return await work();
  const doing = 'set the mode of the session';
  await session.run("SET SESSION sql_mode = 'ORACLE'", { doing });
  try {
    return await work();
  } finally {
    await session.run("SET SESSION sql_mode = ''", { doing });
  }
}

/**
 * Copies default roles. MySQL lets the admin set them. MariaDB lets nobody without UPDATE on the database `mysql` set them for
 * others, so there the account logs in with a passing password and sets its own.
 */
async function copyDefaultRoles(
  place: Workplace,
  accounts: readonly Account[],
  lacking: readonly [Account, Account][],
): Promise<void> {
  const { session, server, next, context } = place;
  const doing = `set the default roles of "${next.username}"`;
  const failed: string[] = [];
  if (!server.mariadb) {
    for (const [account, anchor] of lacking) {
      await session.run(
        `SET DEFAULT ROLE ${anchor.defaultRoles.join(', ') || 'NONE'} TO ${accountName(account)}`,
        { doing, missing: changePermission(session) },
      );
    }
    return;
  }
  const passing = unknown(place);
  await setPassword(session, server, accounts, passing);
  await using(await openServer({ ...next, password: passing }, context), async (own) => {
    const [row] = await own.run<{ account: string }>('SELECT CURRENT_USER() AS account', { doing });
    for (const [account, anchor] of lacking) {
      if (row?.account === `${account.user}@${account.host}`) {
        await own.run(`SET DEFAULT ROLE ${anchor.defaultRoles[0] ?? 'NONE'}`, { doing });
      } else {
        failed.push(`SET DEFAULT ROLE ${anchor.defaultRoles[0] ?? 'NONE'} FOR ${accountName(account)}`);
      }
    }
  });
  if (failed.length > 0) {
    context.finding({
      code: 'DefaultRoleNotCopied',
      message: `only the account itself or an administrator of the server can do this: ${failed.join('; ')}`,
    });
  }
}
