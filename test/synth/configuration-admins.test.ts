import { expect, test } from '@jest/globals';
import type { ConfigurationInput } from '../../lib/config/schema.ts';
import { adopted, dev, messageOf, secret, withSecret } from './support/settings.ts';

/** What a configuration may not say of admin secrets. */
test.each<[string, ConfigurationInput, string]>([
  [
    'alternating users without an admin secret',
    withSecret({ strategy: 'alternating-users' }),
    'environments.dev.secrets.orders.adminSecret: postgresql with alternating-users needs an admin secret',
  ],
  [
    'alternating users of an adopted secret without an admin secret that may be read',
    dev({ secrets: { orders: { ...adopted, strategy: 'alternating-users' } } }),
    'environments.dev.secrets.orders.adminSecret: postgresql with alternating-users needs an admin secret',
  ],
  [
    'two passwords of a Redis user without an admin secret',
    dev({ secrets: { orders: { ...adopted, type: 'redis', strategy: 'dual-credential' } } }),
    'environments.dev.secrets.orders.adminSecret: redis with dual-credential needs an admin secret',
  ],
  [
    'the user of an adopted secret for whom no admin may act',
    dev({ secrets: { orders: { ...adopted, identity: { username: 'orders', host: 'db.internal' } } } }),
    'environments.dev.secrets.orders.identity: says for whom an admin may act, and there is no adminSecret',
  ],
  [
    'an adopted secret that is its own admin secret',
    dev({ secrets: { orders: { ...adopted, adminSecret: { adopt: 'orders' } } } }),
    'environments.dev.secrets.orders.adminSecret.adopt: "orders": a secret cannot be its own admin secret',
  ],
  [
    'an admin secret that is not there',
    withSecret({ adminSecret: { secret: 'admin' } }),
    'environments.dev.secrets.orders.adminSecret.secret: "admin": no such secret; there are: orders',
  ],
  [
    'a secret that is its own admin secret',
    withSecret({ adminSecret: { secret: 'orders' } }),
    'environments.dev.secrets.orders.adminSecret.secret: "orders": a secret cannot be its own admin secret',
  ],
  [
    'admin secrets in a circle',
    dev({
      secrets: {
        a: { ...secret, create: { ...secret.create, name: 'a' }, adminSecret: { secret: 'b' } },
        b: { ...secret, create: { ...secret.create, name: 'b' }, adminSecret: { secret: 'a' } },
      },
    }),
    'environments.dev.secrets.a.adminSecret.secret: "b": the admin secrets go in a circle: a → b → a',
  ],
])('%s', (_, input, expected) => {
  expect(messageOf(input)).toContain(expected);
});
