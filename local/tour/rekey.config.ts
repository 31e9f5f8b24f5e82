import { defineConfig } from '../../lib/config/config.ts';
import type { ConfigurationInput, SecretInput } from '../../lib/config/schema.ts';

/**
 * Reads a variable of the configuration that the tour and the end-to-end tests deploy on the local cloud. Ports are known only
 * when the servers run, so they come from the environment; everything else is an ordinary configuration.
 */
const variable = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(
      `${name} is not set; this configuration is for the local cloud, which sets it: npm start`,
    );
  }
  return value;
};

const database = (username: string, port: string) => ({
  engine: 'postgres',
  host: 'localhost',
  port: Number(port),
  dbname: 'shop',
  username,
});

const secret = {
  type: 'postgresql',
  strategy: 'single-user',
  adminSecret: { adopt: '/dev/postgres-admin' },
  owner: 'team-shop',
  certificateAuthority: variable('REKEY_LOCAL_AUTHORITY'),
} as const;

const port = variable('REKEY_LOCAL_POSTGRES_PORT');
/** Secrets of targets that not every machine has, as JSON. */
const further: Record<string, SecretInput> = JSON.parse(process.env.REKEY_LOCAL_SECRETS ?? '{}');
/** Further settings of the environment, as JSON. */
const more: Partial<ConfigurationInput['environments'][string]> = JSON.parse(
  process.env.REKEY_LOCAL_MORE ?? '{}',
);

export default defineConfig({
  environments: {
    dev: {
      account: '000000000000',
      region: 'us-east-1',
      audit: { retentionDays: 1 },
      access: {
        operators: ['000000000000'],
        responders: ['000000000000'],
        auditors: ['000000000000'],
        policyAuthors: ['000000000000'],
        approvers: ['000000000000'],
      },
      rotation: {
        ...(process.env.REKEY_LOCAL_OVERLAP_HOURS !== undefined && {
          overlapHours: Number(process.env.REKEY_LOCAL_OVERLAP_HOURS),
          graceHours: 0,
        }),
        ...(process.env.REKEY_LOCAL_BRAKE_AFTER !== undefined && {
          brakeAfter: Number(process.env.REKEY_LOCAL_BRAKE_AFTER),
        }),
      },
      secrets: {
        orders: {
          ...secret,
          create: { name: 'orders', fields: database('orders_app', port) },
          consumers: ['checkout'],
        },
        billing: {
          ...secret,
          strategy: 'alternating-users',
          create: { name: 'billing', fields: database('billing_app', port) },
          consumers: ['invoices', 'ledger'],
        },
        payments: {
          ...secret,
          create: { name: 'payments', fields: database('payments_app', port) },
        },
        stock: {
          ...secret,
          create: { name: 'stock', fields: database('stock_app', variable('REKEY_LOCAL_GATE_PORT')) },
        },
        ...further,
      },
      ...more,
    },
  },
});
