import { createHash } from 'node:crypto';
import { SecretError, TargetError } from '../../core/errors/rekey-error.ts';
import type { Random } from '../../core/ports.ts';
import type { TargetContext } from '../../core/rotator.ts';
import type { Session } from './connection.ts';
import type { PostgresSecret } from './schema.ts';
import { defaultIterations, prepare, scramVerifier } from './scram.ts';
import { literal, quote } from './sql.ts';
import type { PasswordForm } from './wire.ts';

/** A role as the server's catalogue has it, and what the connected user may do with it. */
export type Role = {
  readonly oid: number;
  readonly name: string;
  readonly login: boolean;
  readonly superuser: boolean;
  readonly privileged: boolean;
  readonly inherit: boolean;
  readonly replication: boolean;
  readonly connectionLimit: number;
  /** End of the password; `infinity` when it has none. */
  readonly validUntil: string;
  readonly expired: boolean;
  /** True if the connected user is this role. */
  readonly self: boolean;
  /** True if the connected user holds this role with the ADMIN option. */
  readonly administered: boolean;
  readonly adminSuperuser: boolean;
  readonly adminCreateRole: boolean;
};

/** Looks roles up by name. A role that does not exist is missing from the answer. */
export async function readRoles(session: Session, names: readonly string[]): Promise<Map<string, Role>> {
  const rows = await session.run<Role>(
    `SELECT r.oid::int8::float8 AS oid, r.rolname AS name, r.rolcanlogin AS login, r.rolsuper AS superuser,
       r.rolinherit AS inherit, r.rolreplication AS replication, r.rolconnlimit AS "connectionLimit",
       coalesce(r.rolvaliduntil, 'infinity')::text AS "validUntil",
       coalesce(r.rolvaliduntil < now(), false) AS expired,
       r.rolsuper OR r.rolcreaterole OR r.rolreplication OR r.rolbypassrls
         OR pg_has_role(r.oid, me.oid, 'MEMBER') AS privileged,
       r.oid = me.oid AS self,
       pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION') AS administered,
       me.rolsuper AS "adminSuperuser", me.rolcreaterole AS "adminCreateRole"
     FROM pg_roles r, pg_roles me
     WHERE me.rolname = session_user AND r.rolname = ANY ($1::text[])`,
    { doing: 'look up roles' },
    [names],
  );
  return new Map(rows.map((role) => [role.name, role]));
}

/** Finds what the connected user lacks to change `role`, as the statement that would give it. Undefined when it lacks nothing. */
export function missingToAlter(admin: string, role: Role, version: number): string | undefined {
  if (role.adminSuperuser) return undefined;
  if (role.superuser) return `"${role.name}" is a superuser, and only a superuser may change it`;
  if (!role.adminCreateRole) return `ALTER ROLE ${quote(admin)} CREATEROLE`;
  if (version >= 16 && !role.administered) {
    return `GRANT ${quote(role.name)} TO ${quote(admin)} WITH ADMIN OPTION, run by the role that created "${role.name}", any other that has this option on it (\\drg ${role.name}), or a superuser; the master user of RDS can for its own roles alone`;
  }
  return undefined;
}

/**
 * Refuses a role that the connected user may not change.
 * @throws TargetError `PermissionMissing` naming the exact statement that gives what is missing
 */
export function requireAlter(session: Session, role: Role, version: number): void {
  const missing = missingToAlter(session.place.username, role, version);
  if (missing !== undefined) {
    throw new TargetError(
      'PermissionMissing',
      `${session.place.where}: may not change role "${role.name}"; ${missing}`,
    );
  }
}

/** The forms of a password that a server may keep, so that statements need not hold the password. */
export interface Verifier {
  /** Derives the verifier of SCRAM. @param iterations - how often it is derived, at least {@link defaultIterations} */
  readonly scram: (iterations: number) => Promise<string>;
  /** Makes the verifier for servers that are set to MD5, whose clients may know nothing else. */
  readonly md5: () => string;
}

/**
 * Computes the verifiers of a new password.
 * @throws SecretError `PendingValueRefused` for the few passwords that clients prepare in different ways
 */
export async function verifierOf(next: PostgresSecret, random: Random): Promise<Verifier> {
  if (!(await prepare(next.password)).portable) {
    throw new SecretError(
      'PendingValueRefused',
      `the pending password of "${next.username}" holds characters that PostgreSQL clients treat differently ` +
        '(SASLprep does not allow them); use ASCII characters',
    );
  }
  const { username, password } = next;
  const salt = random.bytes(16);
  const usual = await scramVerifier(password, salt, defaultIterations);
  return {
    scram: async (iterations) =>
      iterations === defaultIterations ? usual : await scramVerifier(password, salt, iterations),
    md5: () => `md5${createHash('md5').update(`${password}${username}`).digest('hex')}`,
  };
}

/**
 * Sets the password of a role, and lets it log in again when containment had taken that away. The form is MD5 only where the
 * server makes that of passwords and a login has shown that it accepts it.
 * @param options - `kept`: what the login of the user has shown; default: what that of this session has
 */
export async function setPassword(
  session: Session,
  username: string,
  verifier: Verifier,
  options: { readonly login: boolean; readonly kept?: PasswordForm | undefined },
): Promise<void> {
  const form = session.encryption === 'md5' ? (options.kept ?? session.kept) : 'scram';
  const kept = form === 'md5' ? verifier.md5() : await verifier.scram(session.iterations);
  await session.run(
    `ALTER ROLE ${quote(username)} ${options.login ? 'LOGIN ' : ''}PASSWORD ${literal(kept)}`,
    {
      doing: `set the password of "${username}"`,
      missing:
        'on RDS with rds.restrict_password_commands, GRANT rds_password to the user; elsewhere see the permissions ' +
        'in docs/secret-types/postgresql.md',
    },
  );
}

/**
 * Says that standbys or subscribers log in as the role. They have the password from their own configuration, and are refused when they
 * connect anew.
 * @see https://www.postgresql.org/docs/current/runtime-config-replication.html#GUC-PRIMARY-CONNINFO
 */
export async function noteStandbys(
  session: Session,
  username: string,
  { finding }: Pick<TargetContext, 'finding'>,
): Promise<void> {
  const [row] = await session.run<{ standbys: number }>(
    `SELECT CASE WHEN r.rolreplication OR r.rolsuper THEN (
       SELECT count(*) FROM pg_stat_replication s WHERE s.usesysid = r.oid) ELSE 0 END::int4 AS standbys
     FROM pg_roles r WHERE r.rolname = $1::name`,
    { doing: 'look for standbys' },
    [username],
  );
  const standbys = row?.standbys ?? 0;
  if (standbys === 0) return;
  finding({
    code: 'ReplicationLoginChanged',
    message: `${session.place.where}: ${standbys} standbys or subscribers log in as "${username}" with the old password; set the new one there (primary_conninfo, ALTER SUBSCRIPTION … CONNECTION), or replication ends with their next connection`,
  });
}

/** Refuses a role that has expired, since a new password would fail to log in. @throws TargetError `TargetRefused` */
export function requireValid(session: Session, role: Role): void {
  if (role.expired) {
    throw new TargetError(
      'TargetRefused',
      `${session.place.where}: role "${role.name}" is past its VALID UNTIL (${role.validUntil}); ` +
        `ALTER ROLE ${quote(role.name)} VALID UNTIL 'infinity'`,
    );
  }
}
