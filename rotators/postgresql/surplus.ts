import type { ApplyContext } from '../../core/rotator.ts';
import type { Session } from './connection.ts';
import type { Role } from './role.ts';
import type { PostgresSecret } from './schema.ts';

/** Number of statements that a finding names; more are counted. */
const mostNamed = 20;

/**
 * Finds what the follower alone may do in this database and the anchor does not have in any way. It gives the statements that
 * give it to the anchor. The query begins at the few dependencies of one role, so its cost stays the same as the database grows.
 */
const surplus = `
  WITH held AS (
    SELECT DISTINCT classid, objid FROM pg_shdepend
    WHERE refclassid = 'pg_authid'::regclass AND refobjid = $1::oid AND deptype IN ('a', 'r')
      AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))),
  statements AS (
    SELECT format('GRANT %I TO %I', g.rolname, $3::text) AS sql
    FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
    WHERE m.member = $1::oid AND NOT pg_has_role($2::oid, m.roleid, 'MEMBER')
    UNION ALL
    SELECT format('GRANT %s ON %s %I.%I TO %I', string_agg(DISTINCT a.privilege_type, ', '),
      CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, n.nspname, c.relname, $3::text)
    FROM held JOIN pg_class c ON held.classid = 'pg_class'::regclass AND c.oid = held.objid
      JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
    WHERE a.grantee = $1::oid AND c.relowner <> $2::oid AND NOT EXISTS (
      SELECT FROM aclexplode(c.relacl) o WHERE o.privilege_type = a.privilege_type
        AND (o.grantee = 0 OR pg_has_role($2::oid, o.grantee, 'USAGE')))
    GROUP BY c.relkind, n.nspname, c.relname
    UNION ALL
    SELECT format('GRANT %s (%I) ON TABLE %I.%I TO %I', string_agg(DISTINCT a.privilege_type, ', '), t.attname,
      n.nspname, c.relname, $3::text)
    FROM held JOIN pg_class c ON held.classid = 'pg_class'::regclass AND c.oid = held.objid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute t ON t.attrelid = c.oid AND t.attacl IS NOT NULL, aclexplode(t.attacl) a
    WHERE a.grantee = $1::oid AND NOT has_column_privilege($2::oid, c.oid, t.attnum, a.privilege_type)
    GROUP BY t.attname, n.nspname, c.relname
    UNION ALL
    SELECT format('GRANT %s ON SCHEMA %I TO %I', string_agg(DISTINCT a.privilege_type, ', '), n.nspname, $3::text)
    FROM held JOIN pg_namespace n ON held.classid = 'pg_namespace'::regclass AND n.oid = held.objid,
      aclexplode(n.nspacl) a
    WHERE a.grantee = $1::oid AND NOT has_schema_privilege($2::oid, n.oid, a.privilege_type)
    GROUP BY n.nspname
    UNION ALL
    SELECT format('GRANT EXECUTE ON ROUTINE %s TO %I', p.oid::regprocedure, $3::text)
    FROM held JOIN pg_proc p ON held.classid = 'pg_proc'::regclass AND p.oid = held.objid, aclexplode(p.proacl) a
    WHERE a.grantee = $1::oid AND NOT has_function_privilege($2::oid, p.oid, 'EXECUTE')
    UNION ALL
    SELECT format('GRANT %s ON DATABASE %I TO %I', string_agg(DISTINCT a.privilege_type, ', '), d.datname, $3::text)
    FROM held JOIN pg_database d ON held.classid = 'pg_database'::regclass AND d.oid = held.objid,
      aclexplode(d.datacl) a
    WHERE a.grantee = $1::oid AND NOT has_database_privilege($2::oid, d.oid, a.privilege_type)
    GROUP BY d.datname
    UNION ALL
    SELECT format('ALTER POLICY %I ON %I.%I TO %s', p.polname, n.nspname, c.relname, (
      SELECT string_agg(quote_ident(r.rolname), ', ' ORDER BY r.oid = $2::oid, r.rolname)
      FROM pg_roles r WHERE r.oid = ANY (p.polroles || $2::oid)))
    FROM held JOIN pg_policy p ON held.classid = 'pg_policy'::regclass AND p.oid = held.objid
      JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT $2::oid = ANY (p.polroles) AND NOT 0::oid = ANY (p.polroles)
      AND NOT EXISTS (SELECT FROM unnest(p.polroles) AS g(id) WHERE g.id <> $1::oid AND pg_has_role($2::oid, g.id, 'USAGE'))
    UNION ALL
    SELECT format('-- give %I what %I has on %s', $3::text, (SELECT rolname FROM pg_roles WHERE oid = $1::oid),
      pg_describe_object(held.classid, held.objid, 0))
    FROM held WHERE held.classid NOT IN ('pg_class'::regclass, 'pg_namespace'::regclass, 'pg_proc'::regclass,
      'pg_database'::regclass, 'pg_policy'::regclass)
      AND NOT EXISTS (SELECT FROM pg_shdepend o WHERE o.classid = held.classid AND o.objid = held.objid
        AND o.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        AND o.refclassid = 'pg_authid'::regclass AND o.refobjid = $2::oid AND o.deptype IN ('a', 'o'))
    UNION ALL
    SELECT format('ALTER ROLE %I %s', $3::text, concat_ws(' ',
      CASE WHEN f.rolsuper AND NOT a.rolsuper THEN 'SUPERUSER' END,
      CASE WHEN f.rolcreatedb AND NOT a.rolcreatedb THEN 'CREATEDB' END,
      CASE WHEN f.rolcreaterole AND NOT a.rolcreaterole THEN 'CREATEROLE' END,
      CASE WHEN f.rolbypassrls AND NOT a.rolbypassrls THEN 'BYPASSRLS' END))
    FROM pg_roles f, pg_roles a
    WHERE f.oid = $1::oid AND a.oid = $2::oid AND (f.rolsuper AND NOT a.rolsuper OR f.rolcreatedb AND NOT a.rolcreatedb
      OR f.rolcreaterole AND NOT a.rolcreaterole OR f.rolbypassrls AND NOT a.rolbypassrls)
    UNION ALL
    SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s … ON %s, as those FOR ROLE %I are', $3::text,
      CASE WHEN n.nspname IS NULL THEN '' ELSE format(' IN SCHEMA %I', n.nspname) END,
      CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES'
        WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END,
      (SELECT rolname FROM pg_roles WHERE oid = $1::oid))
    FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
    WHERE d.defaclrole = $1::oid AND NOT EXISTS (SELECT FROM pg_default_acl o WHERE o.defaclrole = $2::oid
      AND o.defaclnamespace = d.defaclnamespace AND o.defaclobjtype = d.defaclobjtype)
    UNION ALL
    SELECT format('CREATE USER MAPPING FOR %I SERVER %I', $3::text, m.srvname)
    FROM pg_user_mappings m WHERE m.umuser = $1::oid AND NOT EXISTS (
      SELECT FROM pg_user_mappings o WHERE o.srvid = m.srvid AND o.umuser IN (0, $2::oid)))
  SELECT sql FROM statements ORDER BY sql`;

/**
 * Raises a finding where the follower alone was given something. It acts as the anchor from login on, so the application has lost
 * that. People grant to the name that stands in the secret, which with AWS's functions may be the clone.
 */
export async function noteSurplus(
  session: Session,
  follower: Role,
  anchor: Role,
  { finding }: Pick<ApplyContext<PostgresSecret>, 'finding'>,
): Promise<void> {
  const rows = await session.run<{ sql: string }>(
    surplus,
    { doing: `look for what only "${follower.name}" may do` },
    [follower.oid, anchor.oid, anchor.name],
  );
  if (rows.length === 0) return;
  const named = rows.slice(0, mostNamed).map(({ sql }) => sql);
  const more = rows.length > mostNamed ? `; and ${rows.length - mostNamed} more` : '';
  finding({
    code: 'GrantsDiffer',
    message: `"${follower.name}" was given what "${anchor.name}" was not, and acts as that one, so neither may do it; if it is meant: ${named.join('; ')}${more}`,
  });
}
