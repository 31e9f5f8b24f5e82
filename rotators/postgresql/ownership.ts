import type { ApplyContext } from '../../core/rotator.ts';
import type { Session } from './connection.ts';
import type { Role } from './role.ts';
import type { PostgresSecret } from './schema.ts';
import { quote } from './sql.ts';

type Context = ApplyContext<PostgresSecret>;

/** Longest wait for the locks on tables that change their owner, in milliseconds. While it waits, others queue up behind. */
const lockTimeoutMs = 500;

/**
 * Counts the objects of the connected database that belong to the follower instead of the anchor. A clone that AWS's
 * functions made has created them, or a session that gave its role up.
 */
export async function countStrays(session: Session, follower: Role): Promise<number> {
  const [row] = await session.run<{ count: number }>(
    `SELECT count(*)::int4 AS count FROM pg_shdepend
     WHERE refclassid = 'pg_authid'::regclass AND refobjid = $1::oid AND deptype = 'o'
       AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
       AND classid NOT IN ('pg_default_acl'::regclass, 'pg_user_mapping'::regclass)`,
    { doing: `look up what "${follower.name}" owns` },
    [follower.oid],
  );
  return row?.count ?? 0;
}

/**
 * Hands the follower's objects in the connected database over to the anchor. It never fails a rotation: where it cannot be done
 * now, a finding names the statement that does it.
 */
export async function adoptStrays(
  session: Session,
  follower: Role,
  anchor: Role,
  context: Context,
): Promise<void> {
  const doing = `hand the objects of "${follower.name}" over to "${anchor.name}"`;
  const statement = `REASSIGN OWNED BY ${quote(follower.name)} TO ${quote(anchor.name)}`;
  const failure = await session.transaction(async (version) => {
    const borrowed: string[] = [];
    for (const role of [follower, anchor]) {
      if (await borrow(session, role, version)) borrowed.push(role.name);
    }
    await session.run(`SET LOCAL lock_timeout = ${lockTimeoutMs}`, { doing });
    const code = await session.attempt(statement, { doing });
    for (const name of borrowed) {
      await session.run(`REVOKE ${quote(name)} FROM ${quote(session.place.username)}`, { doing });
    }
    return code;
  });
  if (failure !== undefined) {
    context.finding({
      code: 'ObjectsNotShared',
      message:
        `objects in database "${session.place.database}" belong to "${follower.name}", and "${anchor.name}" cannot ` +
        `change them; they could not be handed over (${failure}); run ${statement} there`,
    });
  }
}

/**
 * Lends the admin the privileges of a role, which REASSIGN OWNED asks for. An admin that is not a superuser takes them for the
 * length of the transaction; nobody else ever sees the grant.
 * @returns whether there is something to give back
 */
async function borrow(session: Session, role: Role, version: number): Promise<boolean> {
  const doing = `act as "${role.name}" while objects are handed over`;
  const [row] = await session.run<{ privileges: boolean; granted: boolean }>(
    `SELECT pg_has_role(session_user, $1::oid, 'USAGE') AS privileges,
       EXISTS (SELECT 1 FROM pg_auth_members m JOIN pg_roles me ON me.oid = m.member
         WHERE m.roleid = $1::oid AND me.rolname = session_user
           AND (${version < 16} OR m.grantor = me.oid)) AS granted`,
    { doing },
    [role.oid],
  );
  if (row === undefined || row.privileges || row.granted) return false;
  const options = version >= 16 ? ' WITH INHERIT TRUE, SET TRUE' : '';
  const failure = await session.attempt(
    `GRANT ${quote(role.name)} TO ${quote(session.place.username)}${options}`,
    { doing },
  );
  return failure === undefined;
}
