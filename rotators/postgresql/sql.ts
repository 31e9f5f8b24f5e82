import pg from 'pg';

export const quote = pg.escapeIdentifier;
export const literal = pg.escapeLiteral;

/** Writes the statement that takes the LOGIN of a user away. @param user - its name, quoted */
export const takeLogin = (user: string): string => `ALTER ROLE ${user} NOLOGIN`;

/**
 * Writes the statement that ends sessions of a user, except the one that runs it. It counts whoever logged in as the user; the role
 * that a session acts as now does not matter.
 * @param user - an expression of the type `name`
 * @param condition - what else must hold of a session
 */
export const terminateSessions = (user: string, condition = ''): string =>
  `SELECT pid, coalesce(backend_start::text, '') AS start, pg_terminate_backend(pid) AS signalled
     FROM pg_stat_activity
     WHERE usename = ${user} AND pid <> pg_backend_pid()
       AND coalesce(backend_type, 'client backend') IN ('client backend', 'walsender')${condition}`;
