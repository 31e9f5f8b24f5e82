import type { Session } from './connection.ts';
import { literal, quote } from './sql.ts';

/** A privilege that is granted to a user, as the statements that give and take it, but for the user. */
export interface Grant {
  /** Beginning of the statement, `ALTER DEFAULT PRIVILEGES … `, or nothing. */
  readonly before: string;
  readonly privilege: string;
  /** Object: `ON TABLE "public"."orders"`; nothing for roles. */
  readonly on: string;
  /** True if the user may hand it on. */
  readonly option: boolean;
}

/** The access of a user in the connected database, and in the whole cluster by roles and groups. */
export interface Access {
  /** Grants on what belongs to none of the users that were asked for. */
  readonly grants: readonly Grant[];
  readonly groups: readonly string[];
  /** Schemas, tables and views that the user owns, as `ON TABLE …`. */
  readonly owns: readonly string[];
  /** Objects that another of them owns and on which the user has been granted something. */
  readonly shares: ReadonlySet<string>;
}

/** Privileges that GRANT takes, by kind of object. The views also list what is left of PostgreSQL's. */
const grantable: Readonly<Record<string, RegExp>> = {
  relation: /^(?:SELECT|INSERT|UPDATE|DELETE|REFERENCES|DROP|ALTER|TRUNCATE)$/,
  column: /^(?:SELECT|UPDATE)$/,
  schema: /^(?:CREATE|USAGE|ALTER|DROP)$/,
  database: /^(?:CREATE|TEMPORARY|TEMP|USAGE|ALTER)$/,
  function: /^EXECUTE$/,
  language: /^USAGE$/,
  scoped: /^[A-Z]+$/,
};
const scopes = /^(?:SCHEMAS|TABLES|FUNCTIONS|PROCEDURES|LANGUAGES)$/;
const defaults: Readonly<Record<string, { on: string; kind: string }>> = {
  RELATION: { on: 'ON TABLES', kind: 'relation' },
  FUNCTION: { on: 'ON FUNCTIONS', kind: 'function' },
  PROCEDURE: { on: 'ON PROCEDURES', kind: 'function' },
};
/** Form of a list of types as the server prints it, such as `integer, character varying(20)`. */
const typeList = /^[\w ,()[\]]*$/;

type Row = Record<string, unknown>;

/** Reads the rows of one of the cluster's own views. */
async function rowsOf(session: Session, statement: string): Promise<Row[]> {
  return await session.run(statement, { doing: 'read what is granted to the users' });
}

const relation = (row: Row) =>
  `ON TABLE ${quote(String(row.namespace_name))}.${quote(String(row.relation_name))}`;

/** Reads a privilege on an object, or on all objects of a kind in it (`privilege_scope`). */
function scoped(row: Row, kind: 'SCHEMA' | 'DATABASE', name: unknown): Grant | undefined {
  const scope = String(row.privilege_scope ?? kind);
  const on =
    scope === kind
      ? `ON ${kind} ${quote(String(name))}`
      : scopes.test(scope)
        ? `FOR ${scope} IN ${kind} ${quote(String(name))}`
        : undefined;
  return on === undefined ? undefined : plain(row, scope === kind ? kind.toLowerCase() : 'scoped', on);
}

function plain(row: Row, kind: string, on: string, before = ''): Grant | undefined {
  const privilege = String(row.privilege_type).toUpperCase();
  return grantable[kind]?.test(privilege)
    ? { before, privilege, on, option: row.admin_option === true }
    : undefined;
}

/**
 * Reads what each of the users may do, as a superuser. It reads what was granted to the user itself, not what comes from groups,
 * roles or PUBLIC. The views tell of the connected database only.
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_RELATION_PRIVILEGES.html and its neighbours
 */
export async function readAccess(session: Session, users: readonly string[]): Promise<Map<string, Access>> {
  const list = users.map(literal).join(', ');
  const granted = (view: string, columns: string) =>
    rowsOf(
      session,
      `SELECT identity_name AS grantee, privilege_type, ${columns} FROM pg_catalog.${view} ` +
        `WHERE identity_type = 'user' AND identity_name IN (${list})`,
    );
  const found: [Row, Grant | undefined][] = [];
  const add = (rows: readonly Row[], grant: (row: Row) => Grant | undefined) => {
    for (const row of rows) found.push([row, grant(row)]);
  };
  add(await granted('svv_database_privileges', 'database_name, admin_option, privilege_scope'), (row) =>
    scoped(row, 'DATABASE', row.database_name),
  );
  add(await granted('svv_schema_privileges', 'namespace_name, admin_option, privilege_scope'), (row) =>
    scoped(row, 'SCHEMA', row.namespace_name),
  );
  add(await granted('svv_relation_privileges', 'namespace_name, relation_name, admin_option'), (row) =>
    plain(row, 'relation', relation(row)),
  );
  add(await granted('svv_column_privileges', 'namespace_name, relation_name, column_name'), (row) => {
    const grant = plain(row, 'column', relation(row));
    return grant && { ...grant, privilege: `${grant.privilege} (${quote(String(row.column_name))})` };
  });
  const functions = await granted(
    'svv_function_privileges',
    'namespace_name, function_name, argument_types, admin_option',
  );
  if (functions.length > 0) {
    const named = async (statement: string) =>
      new Set((await rowsOf(session, statement)).map((row) => `${row.namespace_name} ${row.function_name}`));
    const procedures = await named(procedureQuery);
    const own = await named(`${functionOwnerQuery} AND u.usename IN (${list})`);
    add(functions, (row) => {
      const types = String(row.argument_types ?? '');
      const key = `${row.namespace_name} ${row.function_name}`;
      if (!typeList.test(types) || own.has(key)) return undefined;
      const name = `${quote(String(row.namespace_name))}.${quote(String(row.function_name))}`;
      return plain(row, 'function', `ON ${procedures.has(key) ? 'PROCEDURE' : 'FUNCTION'} ${name}(${types})`);
    });
  }
  add(await granted('svv_language_privileges', 'language_name, admin_option'), (row) =>
    plain(row, 'language', `ON LANGUAGE ${quote(String(row.language_name))}`),
  );
  add(
    await rowsOf(
      session,
      'SELECT grantee_name AS grantee, privilege_type, schema_name, object_type, owner_name, admin_option ' +
        `FROM pg_catalog.svv_default_privileges WHERE grantee_type = 'user' AND grantee_name IN (${list})`,
    ),
    (row) => {
      const of = defaults[String(row.object_type)];
      // What the users grant each other of what they will make is not part of the comparison.
      if (of === undefined || users.includes(String(row.owner_name))) return undefined;
      return plain(row, of.kind, of.on, defaultPrivileges(String(row.owner_name), row.schema_name));
    },
  );
  add(
    await rowsOf(
      session,
      'SELECT user_name AS grantee, role_name, admin_option FROM pg_catalog.svv_user_grants ' +
        `WHERE user_name IN (${list})`,
    ),
    (row) => ({
      before: '',
      privilege: `ROLE ${quote(String(row.role_name))}`,
      on: '',
      option: row.admin_option === true,
    }),
  );
  const groups = await rowsOf(
    session,
    'SELECT u.usename AS grantee, g.groname AS name FROM pg_catalog.pg_group g, pg_catalog.pg_user u ' +
      `WHERE u.usesysid = ANY (g.grolist) AND u.usename IN (${list})`,
  );
  const owned = await readOwned(session, list);
  const objects = new Set(owned.map(([, on]) => on));
  return new Map(
    users.map((user) => {
      const own = found.flatMap(([row, grant]) =>
        row.grantee === user && grant !== undefined ? [grant] : [],
      );
      return [
        user,
        {
          grants: own.filter(({ on }) => !objects.has(on)),
          groups: groups.filter(({ grantee }) => grantee === user).map(({ name }) => String(name)),
          owns: owned
            .filter(([owner, on]) => owner === user && !on.startsWith('ON DATABASE'))
            .map(([, on]) => on),
          shares: new Set(own.map(({ on }) => on).filter((on) => objects.has(on))),
        },
      ];
    }),
  );
}

const relationOwnerQuery =
  'SELECT u.usename AS owner, n.nspname AS namespace_name, c.relname AS relation_name FROM pg_catalog.pg_class c, ' +
  'pg_catalog.pg_namespace n, pg_catalog.pg_user u WHERE n.oid = c.relnamespace AND u.usesysid = c.relowner ' +
  "AND c.relkind IN ('r', 'v') AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'";
const schemaOwnerQuery =
  'SELECT u.usename AS owner, n.nspname AS name FROM pg_catalog.pg_namespace n, pg_catalog.pg_user u ' +
  "WHERE u.usesysid = n.nspowner AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'";
const databaseOwnerQuery =
  'SELECT u.usename AS owner, d.datname AS name FROM pg_catalog.pg_database d, pg_catalog.pg_user u ' +
  'WHERE u.usesysid = d.datdba';
const functionOwnerQuery =
  'SELECT n.nspname AS namespace_name, p.proname AS function_name FROM pg_catalog.pg_proc p, ' +
  'pg_catalog.pg_namespace n, pg_catalog.pg_user u WHERE n.oid = p.pronamespace AND u.usesysid = p.proowner';
const procedureQuery =
  'SELECT n.nspname AS namespace_name, p.proname AS function_name FROM pg_catalog.pg_proc_info p, ' +
  "pg_catalog.pg_namespace n WHERE n.oid = p.pronamespace AND p.prokind = 'p'";

/** Reads owner and object, as `ON TABLE …`. */
async function readOwned(session: Session, list: string): Promise<[owner: string, on: string][]> {
  const of = async (query: string, on: (row: Row) => string) =>
    (await rowsOf(session, `${query} AND u.usename IN (${list})`)).map((row): [string, string] => [
      String(row.owner),
      on(row),
    ]);
  return [
    ...(await of(schemaOwnerQuery, ({ name }) => `ON SCHEMA ${quote(String(name))}`)),
    ...(await of(relationOwnerQuery, relation)),
    ...(await of(databaseOwnerQuery, ({ name }) => `ON DATABASE ${quote(String(name))}`)),
  ];
}

const defaultPrivileges = (owner: string, schema: unknown): string =>
  `ALTER DEFAULT PRIVILEGES FOR USER ${quote(owner)} ` +
  (typeof schema === 'string' && schema !== '' ? `IN SCHEMA ${quote(schema)} ` : '');

/** Lists the statements that give `user` the access of `wanted`. They take what it has too much, and give what it lacks. */
export function grantChanges(
  user: string,
  present: Access,
  wanted: Access,
): { readonly takes: string[]; readonly gives: string[] } {
  const name = quote(user);
  const without = (grants: readonly Grant[], others: readonly Grant[]) => {
    const keys = new Set(others.map((grant) => JSON.stringify(grant)));
    return merged(grants.filter((grant) => !keys.has(JSON.stringify(grant))));
  };
  const what = ({ privilege, on }: Grant) => [privilege, on].filter(Boolean).join(' ');
  const option = ({ on, option }: Grant) =>
    option ? (on === '' ? ' WITH ADMIN OPTION' : ' WITH GRANT OPTION') : '';
  return {
    takes: [
      ...without(present.grants, wanted.grants).map(
        (grant) => `${grant.before}REVOKE ${what(grant)} FROM ${name}`,
      ),
      ...present.groups
        .filter((group) => !wanted.groups.includes(group))
        .map((group) => `ALTER GROUP ${quote(group)} DROP USER ${name}`),
    ],
    gives: [
      ...without(wanted.grants, present.grants).map(
        (grant) => `${grant.before}GRANT ${what(grant)} TO ${name}${option(grant)}`,
      ),
      ...wanted.groups
        .filter((group) => !present.groups.includes(group))
        .map((group) => `ALTER GROUP ${quote(group)} ADD USER ${name}`),
    ],
  };
}

/** Merges all privileges on the same object into one grant. */
function merged(grants: readonly Grant[]): Grant[] {
  const byObject = new Map<string, Grant>();
  for (const grant of grants) {
    const key = JSON.stringify([grant.before, grant.on, grant.option, grant.on === '' && grant.privilege]);
    const same = byObject.get(key);
    byObject.set(key, same ? { ...same, privilege: `${same.privilege}, ${grant.privilege}` } : grant);
  }
  return [...byObject.values()];
}

/**
 * Lists the statements by which `user` may use what `owner` has made and will make. Only an owner may change or drop an object,
 * and Redshift knows no owners in common.
 */
export function sharing(user: string, { shares }: Access, owner: string, { owns }: Access): string[] {
  return [
    ...owns.filter((on) => !shares.has(on)).map((on) => `GRANT ALL ${on} TO ${quote(user)}`),
    `${defaultPrivileges(owner, undefined)}GRANT ALL ON TABLES TO ${quote(user)}`,
  ];
}
