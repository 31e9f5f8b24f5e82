import type { ApplyContext } from '../../core/rotator.ts';
import type { Session } from './connection.ts';
import type { Role } from './role.ts';
import type { PostgresSecret } from './schema.ts';
import { literal, quote } from './sql.ts';
import { noteSurplus } from './surplus.ts';

type Context = ApplyContext<PostgresSecret>;

/** Makes `follower` act as `anchor` and be limited as it. It changes only what differs. */
export async function prepareFollower(
  session: Session,
  follower: Role,
  anchor: Role,
  version: number,
  context: Context,
): Promise<void> {
  await grantMembership(session, follower, anchor, version);
  await copyLimits(session, follower, anchor, context);
  await copySettings(session, follower, anchor, context);
  await noteSurplus(session, follower, anchor, context);
}

async function grantMembership(
  session: Session,
  follower: Role,
  anchor: Role,
  version: number,
): Promise<void> {
  const purpose = {
    doing: `make "${follower.name}" a member of "${anchor.name}"`,
    missing: `GRANT ${quote(anchor.name)} TO ${quote(session.place.username)} WITH ADMIN OPTION`,
  };
  // Since version 16 a membership carries its own INHERIT and SET; before, the member's INHERIT decides.
  const settled = version >= 16 ? "pg_has_role($1::oid, $2::oid, 'SET')" : 'true';
  const [row] = await session.run<{ settled: boolean }>(
    `SELECT ${settled} AND pg_has_role($1::oid, $2::oid, 'USAGE')
       AND EXISTS (SELECT 1 FROM pg_auth_members WHERE roleid = $2::oid AND member = $1::oid) AS settled`,
    purpose,
    [follower.oid, anchor.oid],
  );
  if (row?.settled) return;
  const options = version >= 16 ? ' WITH INHERIT TRUE, SET TRUE' : '';
  await session.run(`GRANT ${quote(anchor.name)} TO ${quote(follower.name)}${options}`, purpose);
  if (version < 16 && !follower.inherit) {
    await session.run(`ALTER ROLE ${quote(follower.name)} INHERIT`, purpose);
  }
}

/** Copies what the server checks at login, before the follower becomes the anchor. */
async function copyLimits(session: Session, follower: Role, anchor: Role, context: Context): Promise<void> {
  const changes: [string, string][] = [];
  if (follower.connectionLimit !== anchor.connectionLimit) {
    changes.push(['CONNECTION LIMIT', String(anchor.connectionLimit)]);
  }
  if (follower.validUntil !== anchor.validUntil) {
    changes.push(['VALID UNTIL', literal(anchor.validUntil)]);
  }
  if (follower.replication !== anchor.replication) {
    changes.push([anchor.replication ? 'REPLICATION' : 'NOREPLICATION', '']);
  }
  for (const [name, value] of changes) {
    const doing = `give "${follower.name}" the ${name} of "${anchor.name}"`;
    const failure = await session.attempt(`ALTER ROLE ${quote(follower.name)} ${name} ${value}`, { doing });
    if (failure !== undefined) {
      context.finding({
        code: 'AttributeNotCopied',
        message: `the admin could not ${doing} (${failure}); ALTER ROLE ${quote(follower.name)} ${name} … does it`,
      });
    }
  }
}

/** A setting of a role, for all databases or for one. */
type Setting = { database: string | null; name: string; value: string };

/** Settings whose value is a list of names. The catalogue keeps it quoted; the statement takes the parts. */
const listSettings = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

/** Splits a quoted list such as `"$user", public`. */
export function splitNames(list: string): string[] {
  return [...list.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}

const settingName = (name: string) => name.split('.').map(quote).join('.');
const scope = ({ name }: Role, database: string | null) =>
  `ALTER ROLE ${quote(name)}${database === null ? '' : ` IN DATABASE ${quote(database)}`}`;

async function readSettings(session: Session, role: Role): Promise<Map<string, Setting>> {
  const rows = await session.run<Setting>(
    `SELECT d.datname AS database, split_part(c.entry, '=', 1) AS name,
       substr(c.entry, strpos(c.entry, '=') + 1) AS value
     FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase,
       unnest(s.setconfig) AS c(entry)
     WHERE s.setrole = $1::oid`,
    { doing: `read the settings of "${role.name}"` },
    [role.oid],
  );
  return new Map(rows.map((setting) => [JSON.stringify([setting.database, setting.name]), setting]));
}

async function copySettings(session: Session, follower: Role, anchor: Role, context: Context): Promise<void> {
  const wanted = await readSettings(session, anchor);
  const present = await readSettings(session, follower);
  await actAs(session, anchor, wanted);
  const failed: string[] = [];
  const alter = async (statement: string, name: string): Promise<void> => {
    const doing = `copy the setting ${name} to "${follower.name}"`;
    const failure = await session.attempt(statement, { doing });
    if (failure !== undefined) failed.push(`${name} (${failure})`);
  };
  for (const [key, { database, name, value }] of wanted) {
    if (present.get(key)?.value === value) continue;
    const values = listSettings.has(name) ? splitNames(value) : [value];
    const text = values.length === 0 ? "''" : values.map(literal).join(', ');
    await alter(`${scope(follower, database)} SET ${settingName(name)} TO ${text}`, name);
  }
  const surplus = [...present].flatMap(([key, setting]) => (wanted.has(key) ? [] : [setting]));
  for (const { database, name } of surplus) {
    await alter(`${scope(follower, database)} RESET ${settingName(name)}`, name);
  }
  noteReset(follower, anchor, surplus, context);
  if (failed.length > 0) {
    context.finding({
      code: 'SettingNotCopied',
      message: `settings of "${anchor.name}" that the admin could not copy to "${follower.name}": ${failed.join(', ')}`,
    });
  }
}

/** Notes the settings that the follower loses. The application may find its tables by one of them. Values are left out. */
function noteReset(follower: Role, anchor: Role, surplus: readonly Setting[], { finding }: Context): void {
  const lost = surplus.filter(({ name }) => name !== 'role');
  if (lost.length === 0) return;
  const named = lost.map(({ name, database }) =>
    database === null ? name : `${name} in ${quote(database)}`,
  );
  finding({
    code: 'SettingNotCopied',
    message: `settings that "${follower.name}" had and "${anchor.name}" has not were taken away, since both act as "${anchor.name}": ${named.join(', ')}; if they are meant, set them for "${anchor.name}"`,
  });
}

/**
 * Has the follower act from login on as whoever the anchor acts as. That is the anchor itself, or the role that a setting makes
 * of it. The settings of the role in a database go before those of the role, and these before those of the database.
 * @see https://www.postgresql.org/docs/current/sql-alterrole.html
 */
async function actAs(session: Session, anchor: Role, wanted: Map<string, Setting>): Promise<void> {
  const everywhere = JSON.stringify([null, 'role']);
  const itself = (value: string | undefined) => value === undefined || value === 'none';
  if (!wanted.has(everywhere)) {
    for (const { database, value } of await readRolesOfDatabases(session)) {
      const key = JSON.stringify([database, 'role']);
      if (!itself(value) && !wanted.has(key)) wanted.set(key, { database, name: 'role', value });
    }
  }
  for (const [key, setting] of wanted) {
    if (setting.name === 'role' && itself(setting.value)) wanted.set(key, { ...setting, value: anchor.name });
  }
  if (!wanted.has(everywhere)) wanted.set(everywhere, { database: null, name: 'role', value: anchor.name });
}

/** Reads the roles that databases set for everybody who connects. */
const readRolesOfDatabases = (session: Session) =>
  session.run<{ database: string; value: string }>(
    `SELECT d.datname AS database, substr(c.entry, strpos(c.entry, '=') + 1) AS value
     FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) AS c(entry)
     WHERE s.setrole = 0 AND c.entry LIKE 'role=%'`,
    { doing: 'read the settings of the databases' },
  );
