import { readFileSync } from 'node:fs';
import { defineConfig } from '../../lib/config/config.ts';

/** Where the outputs of the sandbox's stack were written: `--outputs-file sandbox.json`. */
const file = process.env.REKEY_SANDBOX_OUTPUTS ?? 'sandbox.json';
const outputs: Record<string, string> = JSON.parse(readFileSync(file, 'utf8'))['rekey-sandbox'];

function output(name: string): string {
  const value = outputs[name];
  if (value === undefined) {
    throw new Error(`${file} has no output ${name}; deploy examples/sandbox/app.ts first`);
  }
  return value;
}

const database = (username: string) => ({
  engine: 'aurora-postgresql',
  host: output('Host'),
  port: 5432,
  dbname: 'shop',
  username,
});

const [, , , region, account] = output('ClusterArn').split(':');
const shared = {
  type: 'postgresql',
  adminSecret: { adopt: output('AdminSecretArn') },
  network: 'sandbox',
  owner: 'sandbox',
} as const;

/** What `docs/on-aws.md` deploys to a sandbox account. */
export default defineConfig({
  environments: {
    sandbox: {
      ...(account !== undefined && { account }),
      ...(region !== undefined && { region }),
      // Nobody can delete a record earlier: one day is the least.
      audit: { retentionDays: 1 },
      networks: {
        sandbox: {
          existing: {
            vpcId: output('VpcId'),
            subnetIds: output('SubnetIds').split(','),
            egress: [{ to: output('Cidr'), port: 5432 }],
          },
        },
      },
      secrets: {
        orders: {
          ...shared,
          strategy: 'single-user',
          create: { name: 'orders', fields: database('orders') },
          consumers: ['nobody'],
        },
        billing: {
          ...shared,
          strategy: 'alternating-users',
          create: { name: 'billing', fields: database('billing') },
        },
        token: {
          type: 'generic',
          strategy: 'single-user',
          create: { name: 'token', fields: {} },
          owner: 'sandbox',
        },
      },
    },
  },
});
