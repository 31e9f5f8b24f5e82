/** Quotes a name. Redshift keeps the case of user names that are quoted. */
export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * Quotes text. As PostgreSQL 8.0, Redshift takes a backslash for the beginning of an escape in every literal and knows no `E'…'`.
 */
export const literal = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
