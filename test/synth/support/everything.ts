import { defineConfig } from '../../../lib/config/config.ts';

/** Everything that the configuration can ask for, at once. */
export const everything = defineConfig({
  environments: {
    full: {
      account: '111122223333',
      region: 'eu-central-1',
      audit: { retentionDays: 30 },
      eventArchiveDays: 7,
      fingerprints: true,
      trail: { create: true },
      notifications: {
        topicArn: 'arn:aws:sns:eu-central-1:111122223333:ops',
        channels: {
          chat: {
            kind: 'slack',
            secret: 'notify/chat',
            encryptionKey: 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555',
            owners: ['team-orders'],
          },
          room: { kind: 'teams', secret: 'notify/room' },
          hook: { kind: 'webhook', secret: 'notify/hook', hosts: ['hooks.example.com'] },
          oncall: { kind: 'pagerduty', secret: 'notify/oncall' },
          backup: { kind: 'opsgenie', secret: 'notify/backup', hosts: ['api.eu.opsgenie.com'] },
          mail: { kind: 'sns', emails: ['ops@example.com'] },
        },
        routes: [{ events: ['Secret Rotation Succeeded'], to: ['room'] }],
        escalation: { steps: [{ afterMinutes: 15, to: ['owner', 'oncall'] }] },
        quietHours: { timeZone: 'Europe/Berlin', periods: [{ from: '22:00', to: '07:00' }] },
      },
      revocation: {
        sources: ['rekey.cli', 'acme.scanner'],
        accounts: ['999988887777'],
        members: { west: { environment: 'prod', account: '999988887777', region: 'us-west-2' } },
        coordinator: { environment: 'security', account: '999988887777', region: 'eu-west-1' },
      },
      access: {
        operators: ['111122223333', 'arn:aws:iam::111122223333:role/operator'],
        responders: [
          'arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Incident_*',
        ],
        auditors: ['444455556666'],
        policyAuthors: ['arn:aws:iam::111122223333:role/author'],
        approvers: ['arn:aws:iam::111122223333:role/approver'],
        sessionName: 'aws:PrincipalTag/mail',
      },
      approvals: {
        revocation: { replace: 'second person' },
        approvers: { 'lead@example.com': { email: 'lead@example.com' } },
        mailFrom: 'rekey@example.com',
      },
      lifecycle: {},
      quarantine: {
        principals: ['arn:aws:iam::111122223333:role/app-*', 'arn:aws:iam::111122223333:user/ci-deploy'],
      },
      manualSecrets: {
        licence: {
          adopt: 'vendor/licence',
          owner: 'team-orders',
          purpose: 'opens the API of a vendor',
          replaceEveryDays: 180,
        },
      },
      signals: {
        health: { answer: 'act' },
        guardduty: {},
        securityhub: {},
        github: {
          secret: 'scanners/github',
          encryptionKey: 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555',
        },
        webhook: { secret: 'scanners/own', answer: 'act' },
      },
      honeySecrets: {
        root: { name: 'payments/root', owner: 'team-security' },
        deployer: { name: 'payments/deployer', owner: 'team-security', shape: 'access-key' },
      },
      networks: {
        own: {
          existing: {
            vpcId: 'vpc-0a1b2c3d',
            subnetIds: ['subnet-0a1b2c3d'],
            securityGroupIds: ['sg-0a1b2c3d'],
          },
        },
        new: {
          create: {
            connect: [{ to: '10.64.0.0/16', transitGatewayId: 'tgw-0a1b2c3d' }],
            egress: [{ to: '10.64.0.0/16', port: 5432 }],
          },
        },
      },
      secrets: {
        admin: {
          type: 'postgresql',
          strategy: 'single-user',
          adopt: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin-AbCdEf',
          encryptionKey: 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555',
          network: 'own',
          owner: 'dba',
        },
        orders: {
          type: 'postgresql',
          strategy: 'alternating-users',
          create: { name: 'orders', fields: { engine: 'postgres', username: 'orders', host: 'db.internal' } },
          adminSecret: { secret: 'admin' },
          network: 'new',
          owner: 'team-orders',
          allowPlaintext: true,
        },
        token: {
          type: 'generic',
          strategy: 'single-user',
          create: { name: 'token', fields: {} },
          owner: 'team-orders',
        },
        oracle: {
          type: 'external',
          strategy: 'single-user',
          rotationFunction: 'arn:aws:lambda:eu-central-1:111122223333:function:oracle',
          adopt: 'oracle',
          owner: 'dba',
        },
      },
    },
  },
});
