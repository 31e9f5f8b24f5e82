/**
 * Redshift's own views over PostgreSQL's catalogue, with the columns and types that its documentation gives, and what
 * the stand-in keeps for itself. Run once as the superuser, in the database that the tests use.
 * @see https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_system-tables.html
 */
const identity = (acl: string) =>
  `coalesce(g.rolname::text, 'public') AS identity_name, g.oid::int4 AS identity_id,
   CASE WHEN ${acl}.grantee = 0 THEN 'public' WHEN g.rolcanlogin THEN 'user' ELSE 'group' END AS identity_type,
   ${acl}.privilege_type, ${acl}.is_grantable AS admin_option`;

export const redshiftViews = `
CREATE SCHEMA standin;
CREATE TABLE standin.users (name text PRIMARY KEY, sha256 text, syslog text DEFAULT 'RESTRICTED', timeout int4 DEFAULT 0);
CREATE TABLE standin.roles (name text PRIMARY KEY);
GRANT USAGE ON SCHEMA standin TO PUBLIC;

CREATE FUNCTION standin.allow(who text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF session_user <> who AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) THEN
    RAISE insufficient_privilege;
  END IF;
  INSERT INTO standin.users (name) VALUES (who) ON CONFLICT DO NOTHING;
END $$;
CREATE FUNCTION standin.keep(who text, verifier text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM standin.allow(who);
  IF verifier IS NOT NULL THEN EXECUTE format('ALTER ROLE %I PASSWORD NULL', who); END IF;
  UPDATE standin.users SET sha256 = verifier WHERE name = who;
END $$;
CREATE FUNCTION standin.syslog(who text, access text) RETURNS void LANGUAGE sql AS $$
  SELECT standin.allow(who);
  UPDATE standin.users SET syslog = access WHERE name = who $$;
CREATE FUNCTION standin.timeout(who text, seconds int4) RETURNS void LANGUAGE sql AS $$
  SELECT standin.allow(who);
  UPDATE standin.users SET timeout = seconds WHERE name = who $$;

CREATE VIEW standin.pg_group AS SELECT groname, grosysid, grolist FROM pg_catalog.pg_group
  WHERE groname::text NOT IN (SELECT name FROM standin.roles);
CREATE VIEW pg_catalog.stv_sessions AS
  SELECT (backend_start AT TIME ZONE 'UTC')::timestamp AS starttime, pid AS process, usename::char(50) AS user_name,
    datname::char(50) AS db_name, 0 AS timeout_sec
  FROM pg_stat_activity WHERE backend_type = 'client backend'
    AND (usename = session_user OR (SELECT rolsuper FROM pg_roles WHERE rolname = session_user));
GRANT SELECT ON pg_catalog.stv_sessions TO PUBLIC;
CREATE VIEW pg_catalog.pg_user_info AS
  SELECT r.rolname AS usename, r.oid::int4 AS usesysid, r.rolcreatedb AS usecreatedb, r.rolsuper AS usesuper,
    false AS usecatupd, '********'::text AS passwd, r.rolvaliduntil::text AS valuntil, s.setconfig AS useconfig,
    CASE r.rolconnlimit WHEN -1 THEN 'UNLIMITED' ELSE r.rolconnlimit::text END AS useconnlimit
  FROM pg_roles r LEFT JOIN pg_db_role_setting s ON s.setrole = r.oid AND s.setdatabase = 0 WHERE r.rolcanlogin;
CREATE VIEW pg_catalog.svv_user_info AS
  SELECT r.rolname::text AS user_name, r.oid::int4 AS user_id, coalesce(u.syslog, 'RESTRICTED') AS syslog_access,
    coalesce(u.timeout, 0) AS session_timeout
  FROM pg_roles r LEFT JOIN standin.users u ON u.name = r.rolname::text WHERE r.rolcanlogin;
CREATE VIEW pg_catalog.svv_user_grants AS
  SELECT u.oid::int4 AS user_id, u.rolname::text AS user_name, r.oid::int4 AS role_id, r.rolname::text AS role_name,
    m.admin_option
  FROM pg_auth_members m JOIN pg_roles u ON u.oid = m.member JOIN pg_roles r ON r.oid = m.roleid
  WHERE r.rolname::text IN (SELECT name FROM standin.roles);
CREATE VIEW pg_catalog.svv_relation_privileges AS
  SELECT n.nspname::text AS namespace_name, c.relname::text AS relation_name, ${identity('a')}
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
    LEFT JOIN pg_roles g ON g.oid = a.grantee WHERE c.relkind IN ('r', 'v');
CREATE VIEW pg_catalog.svv_column_privileges AS
  SELECT n.nspname::text AS namespace_name, c.relname::text AS relation_name, t.attname::text AS column_name,
    ${identity('a')}
  FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace,
    aclexplode(t.attacl) a LEFT JOIN pg_roles g ON g.oid = a.grantee;
CREATE VIEW pg_catalog.svv_schema_privileges AS
  SELECT n.nspname::text AS namespace_name, ${identity('a')}, 'SCHEMA'::text AS privilege_scope
  FROM pg_namespace n, aclexplode(n.nspacl) a LEFT JOIN pg_roles g ON g.oid = a.grantee;
CREATE VIEW pg_catalog.svv_database_privileges AS
  SELECT d.datname::text AS database_name, ${identity('a')}, 'DATABASE'::text AS privilege_scope
  FROM pg_database d, aclexplode(d.datacl) a LEFT JOIN pg_roles g ON g.oid = a.grantee;
CREATE VIEW pg_catalog.svv_function_privileges AS
  SELECT n.nspname::text AS namespace_name, p.proname::text AS function_name,
    oidvectortypes(p.proargtypes) AS argument_types, ${identity('a')}
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace, aclexplode(p.proacl) a
    LEFT JOIN pg_roles g ON g.oid = a.grantee;
CREATE VIEW pg_catalog.svv_language_privileges AS
  SELECT l.lanname::text AS language_name, ${identity('a')}
  FROM pg_language l, aclexplode(l.lanacl) a LEFT JOIN pg_roles g ON g.oid = a.grantee;
CREATE VIEW pg_catalog.svv_default_privileges AS
  SELECT n.nspname::text AS schema_name, CASE d.defaclobjtype WHEN 'r' THEN 'RELATION' ELSE 'FUNCTION' END AS object_type,
    o.rolname::text AS owner_name, 'user'::text AS owner_type, a.privilege_type, g.rolname::text AS grantee_name,
    CASE WHEN a.grantee = 0 THEN 'public' WHEN g.rolcanlogin THEN 'user' ELSE 'group' END AS grantee_type,
    a.is_grantable AS admin_option
  FROM pg_default_acl d JOIN pg_roles o ON o.oid = d.defaclrole LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace,
    aclexplode(d.defaclacl) a LEFT JOIN pg_roles g ON g.oid = a.grantee;
CREATE VIEW pg_catalog.pg_proc_info AS SELECT oid AS prooid, proname, pronamespace, prokind FROM pg_proc;
`;
