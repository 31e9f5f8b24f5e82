import { expect, test } from '@jest/globals';
import { loadRotator } from '../../load-rotator.ts';

const context = { connectTimeoutMs: 1_000, statementTimeoutMs: 1_000, finding: () => undefined };
const types = [
  ['postgresql', { engine: 'postgres' }],
  ['redshift', { engine: 'redshift' }],
  ['mysql', { engine: 'mysql' }],
  ['mysql', { engine: 'mariadb' }],
  ['redis', { engine: 'redis' }],
  ['elasticache', { userId: 'u' }],
  ['rds-admin', { engine: 'postgres' }],
  ['rds-admin', { engine: 'mysql' }],
  ['rds-admin', { engine: 'mariadb' }],
] as const;

/** Whoever may write a secret chooses the text; a port is one of 1 to 65535, whether it is a number or text. */
test.each(types)('%s %j: the port "99999" is none', async (type, extra) => {
  const { schema } = await loadRotator(type);
  const secret = { ...extra, host: '127.0.0.1', username: 'u', password: 'p' };
  for (const port of ['99999', '65536', '0', '00000']) {
    expect({ port, isTaken: schema.safeParse({ ...secret, port }).success }).toEqual({
      port,
      isTaken: false,
    });
  }
});

/** Those that the driver of MySQL reaches; the others end with an outcome. */
const ofMysql = types.filter(([, extra]) => /mysql|mariadb/.test(JSON.stringify(extra)));

test.each(ofMysql)('%s %j: a trial ends with an outcome and never throws', async (type, extra) => {
  const rotator = await loadRotator(type);
  const secret = { ...extra, host: '127.0.0.1', username: 'u', password: 'p', port: '99999' };
  const parsed = rotator.schema.safeParse(secret);
  const outcome = parsed.success
    ? await rotator.probe(parsed.data as never, context).then(
        ({ outcome: found }: { outcome: string }) => found,
        (error: Error) => `thrown: ${error.name}`,
      )
    : 'refused by the schema';
  expect(['unreachable', 'refused by the schema']).toContain(outcome);
});
