import { expect, test } from '@jest/globals';
import { loginError } from '../../../rotators/postgresql/errors.ts';
import { LoginRefused } from '../../../rotators/transport/login.ts';

const place = {
  where: 'user "app" at pooler:6432/shop',
  encrypted: true,
  database: 'shop',
  username: 'app',
  host: 'pooler',
};
const meaningOf = (pooler: string) => loginError({ code: '08P01', pooler }, place);

/**
 * pgbouncer/pgbouncer#1418, awslabs/pgbouncer-fast-switchover#109: PgBouncer's own login at the server has failed a moment ago, with keys that it
 * keeps, and it answers every client of that pool so until `server_login_retry` is over (https://www.pgbouncer.org/config.html#server_login_retry). It is said
 * after this client's own password was found right, or before it was looked at; downgrading or restarting the pooler helps. Of the credential it proves nothing: as the
 * end of a revocation it would call dead what logs in fifteen seconds later.
 */
test('an error of the pool that PgBouncer has cached refuses no credential', () => {
  const meaning = meaningOf(
    'server login has been failing, cached error: password authentication failed for user "app" (server_login_retry)',
  );
  expect(meaning).not.toBeInstanceOf(LoginRefused);
  expect(meaning).toMatchObject({ code: 'TargetUnreachable', retryable: true });
});

test.each([
  'server login has been failing, cached error: role "app" is not permitted to log in (server_login_retry)',
  'server login has been failing, cached error: database "shop" does not exist (server_login_retry)',
])('nor any other cached one: %s', (words) => {
  expect(meaningOf(words)).not.toBeInstanceOf(LoginRefused);
  expect(meaningOf(words)).toMatchObject({ code: 'TargetUnreachable' });
});
