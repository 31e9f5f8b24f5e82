import { defineConfig } from './lib/config/config.ts';

/**
 * An example to start from: a database whose login changes its own password, and one whose two users take turns. The
 * networks, the databases, their users and the admin secrets are there before: put in the ids of yours.
 * `npx rekey policy check` holds each to its policy, as the synth does. Deploy one environment with `npx cdk deploy --all -c environment=dev`.
 */
export default defineConfig({
  form: 1,
  environments: {
    dev: {
      policy: { stage: 'development' },
      audit: { retentionDays: 1 },
      rotation: { schedule: 'rate(7 days)', maximumAgeDays: 10 },
      networks: {
        database: {
          existing: {
            vpcId: 'vpc-0d1e2f3a4b5c60718',
            subnetIds: ['subnet-0d1e2f3a4b5c60718', 'subnet-0e1f2a3b4c5d60718'],
            egress: [{ to: 'sg-0d1e2f3a4b5c60718', port: 5432 }],
          },
        },
      },
      secrets: {
        reports: {
          type: 'postgresql',
          strategy: 'single-user',
          create: {
            name: 'reports/database',
            fields: {
              engine: 'postgres',
              host: 'reports.dev.internal',
              port: 5432,
              dbname: 'reports',
              username: 'reports',
            },
          },
          adminSecret: { adopt: 'database/admin' },
          network: 'database',
          owner: 'team-reports',
          consumers: ['reports-nightly'],
        },
      },
    },
    prod: {
      account: '111122223333',
      region: 'eu-central-1',
      policy: { stage: 'production' },
      lifecycle: {},
      fingerprints: true,
      audit: { retentionDays: 365 },
      rotation: { schedule: 'rate(30 days)', maximumAgeDays: 45 },
      passwords: { length: 40 },
      strategies: ['alternating-users'],
      eventArchiveDays: 30,
      notifications: { emails: ['platform@example.com'] },
      access: {
        operators: ['arn:aws:iam::111122223333:role/platform-engineer'],
        responders: [
          'arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Incident_*',
        ],
        auditors: ['444455556666'],
      },
      networks: {
        database: {
          existing: {
            vpcId: 'vpc-0a1b2c3d4e5f60718',
            subnetIds: ['subnet-0a1b2c3d4e5f60718', 'subnet-0b1c2d3e4f5a60718'],
            egress: [{ to: '10.0.16.0/20', port: 5432 }],
          },
        },
      },
      secrets: {
        orders: {
          type: 'postgresql',
          strategy: 'alternating-users',
          create: {
            name: 'orders/database',
            fields: {
              engine: 'postgres',
              host: 'orders.prod.internal',
              port: 5432,
              dbname: 'orders',
              username: 'orders',
            },
          },
          adminSecret: {
            adopt: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!cluster-5a4f6e2c-1b3d-AbCdEf',
          },
          network: 'database',
          owner: 'team-orders',
          purpose: 'orders of the shop',
          consumers: ['orders-api', 'orders-worker'],
        },
      },
    },
  },
});
