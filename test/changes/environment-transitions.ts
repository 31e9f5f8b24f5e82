import { signalChanges } from '../../lib/config/signal-changes.ts';
import { otherKey, type Transition, without } from './transition.ts';

const anyKey = 'arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555';

/** Changes of what an environment says for all of its secrets, in the order in which they are deployed. */
export const ofTheEnvironment: readonly Transition[] = [
  {
    name: 'a longer archive of events, and more who may ask for a revocation',
    fields: [
      'eventArchiveDays',
      'revocation.sources',
      'revocation.accounts',
      'revocation.maximumAgeHours',
      'revocation.rotationsPerSecond',
    ],
    apply: (environment) => ({
      ...environment,
      eventArchiveDays: 30,
      revocation: {
        sources: ['rekey.cli', 'acme.scanner'],
        accounts: ['111122223333'],
        maximumAgeHours: 48,
        rotationsPerSecond: 10,
      },
    }),
  },
  {
    name: 'an environment elsewhere, and one that coordinates',
    fields: [
      'revocation.members.*',
      'revocation.members.*.environment',
      'revocation.members.*.account',
      'revocation.members.*.region',
      'revocation.members.*.role',
      'revocation.coordinator.environment',
      'revocation.coordinator.account',
      'revocation.coordinator.region',
    ],
    apply: (environment) => ({
      ...environment,
      revocation: {
        ...environment.revocation,
        members: {
          other: { environment: 'prod', account: '111122223333', region: 'eu-west-1', role: 'asked' },
        },
        coordinator: { environment: 'security', account: '111122223333', region: 'eu-west-1' },
      },
    }),
  },
  {
    name: 'a second person for what is no emergency',
    fields: [
      'approvals.revocation.kill',
      'approvals.revocation.replace',
      'approvals.minutes',
      'approvals.escalateAfterMinutes',
      'approvals.onExpiry',
      'approvals.breakGlass',
      'approvals.approvers.*',
      'approvals.approvers.*.email',
      'approvals.mailFrom',
    ],
    apply: (environment) => ({
      ...environment,
      approvals: {
        revocation: { kill: 'never', replace: 'second person' },
        minutes: 30,
        escalateAfterMinutes: 10,
        onExpiry: 'refuse',
        breakGlass: false,
        approvers: { alice: { email: 'a@example.com' } },
        mailFrom: 'rekey@example.com',
      },
    }),
  },
  {
    name: 'no archive of events',
    fields: ['eventArchiveDays'],
    apply: (environment) => without(environment, 'eventArchiveDays'),
  },
  {
    name: 'fingerprints of all values',
    fields: ['fingerprints'],
    apply: (environment) => ({ ...environment, fingerprints: true }),
  },
  {
    name: 'mails of alarms',
    fields: ['notifications.emails'],
    apply: (environment) => ({ ...environment, notifications: { emails: ['a@example.com'] } }),
  },
  {
    name: 'channels that people are told on',
    fields: [
      'notifications.channels.*',
      'notifications.channels.*.kind',
      'notifications.channels.*.secret',
      'notifications.channels.*.hosts',
      'notifications.channels.*.allowPrivateAddresses',
      'notifications.channels.*.emails',
      'notifications.channels.*.emergencies',
      'notifications.channels.*.owners',
      'notifications.routes.*.events',
      'notifications.routes.*.urgencies',
      'notifications.routes.*.owners',
      'notifications.routes.*.to',
      'notifications.escalation.urgencies',
      'notifications.escalation.steps.*.afterMinutes',
      'notifications.escalation.steps.*.to',
      'notifications.quietHours.timeZone',
      'notifications.quietHours.periods.*.from',
      'notifications.quietHours.periods.*.to',
      'notifications.quietHours.periods.*.days',
      'notifications.bounds.gatherMinutes',
      'notifications.bounds.messagesPerHour',
      'notifications.runbookUrl',
    ],
    apply: (environment) => ({
      ...environment,
      notifications: {
        channels: {
          mail: { kind: 'sns', emails: ['a@example.com'], emergencies: false, owners: ['team-shop'] },
          hook: {
            kind: 'webhook',
            secret: 'notify/hook',
            hosts: ['hooks.example.com'],
            allowPrivateAddresses: true,
          },
        },
        routes: [
          { events: ['Secret Rotation Failed'], urgencies: ['warning'], owners: ['team-shop'], to: ['mail'] },
        ],
        escalation: { urgencies: ['emergency'], steps: [{ afterMinutes: 15, to: ['hook'] }] },
        quietHours: {
          timeZone: 'Europe/Berlin',
          periods: [{ from: '22:00', to: '06:00', days: ['mon', 'tue'] }],
        },
        bounds: { gatherMinutes: 10, messagesPerHour: 10 },
        runbookUrl: 'https://runbooks.example.com/',
      },
    }),
  },
  {
    name: 'a longer retention of the audit log',
    fields: ['audit.retentionDays'],
    apply: (environment) => ({ ...environment, audit: { retentionDays: 2 } }),
  },
  {
    name: 'shorter overlaps, and an earlier brake',
    fields: ['rotation.overlapHours', 'rotation.graceHours', 'rotation.brakeAfter'],
    apply: (environment) => ({
      ...environment,
      rotation: { ...environment.rotation, overlapHours: 1, graceHours: 0, brakeAfter: 3 },
    }),
  },
  {
    name: 'all other rules of passwords, the strategies, and a policy',
    fields: [
      'passwords.excludeCharacters',
      'passwords.excludeNumbers',
      'passwords.excludePunctuation',
      'passwords.excludeUppercase',
      'passwords.excludeLowercase',
      'passwords.requireEachIncludedType',
      'strategies',
      'policy',
    ],
    apply: (environment) => ({
      ...environment,
      passwords: {
        length: 30,
        excludeCharacters: 'abc',
        excludeNumbers: true,
        excludePunctuation: true,
        excludeUppercase: true,
        excludeLowercase: false,
        requireEachIncludedType: true,
      },
      strategies: ['alternating-users', 'single-user'],
      policy: { stage: 'development', require: { tls: false } },
    }),
    shows: (secret, json) => secret !== otherKey || /^[d-z]{30}$/.test(String(json.password)),
  },
  {
    name: 'a secret that people replace',
    fields: [
      'lifecycle.remindDaysBefore',
      'manualSecrets.*',
      'manualSecrets.*.adopt',
      'manualSecrets.*.owner',
      'manualSecrets.*.purpose',
      'manualSecrets.*.consumers',
      'manualSecrets.*.replaceEveryDays',
      'manualSecrets.*.expires',
    ],
    apply: (environment) => ({
      ...environment,
      lifecycle: { remindDaysBefore: [14] },
      manualSecrets: {
        licence: {
          adopt: 'vendor/licence',
          owner: 'team-shop',
          purpose: 'opens the API of a vendor',
          consumers: ['shop'],
          replaceEveryDays: 365,
          expires: '2036-12-31',
        },
      },
    }),
  },
  {
    name: 'signals from outside, and honey secrets',
    fields: Object.keys(signalChanges) as (keyof typeof signalChanges)[],
    apply: (environment) => {
      const scanner = {
        answer: 'ask',
        mode: 'kill',
        secret: 'vendor/licence',
        encryptionKey: anyKey,
      } as const;
      const aws = { answer: 'record', mode: 'replace' } as const;
      const pem = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n';
      return {
        ...environment,
        fingerprints: true,
        signals: {
          health: aws,
          guardduty: aws,
          securityhub: aws,
          github: scanner,
          githubPartner: { ...aws, publicKeys: { ['ab'.repeat(32)]: pem } },
          gitguardian: scanner,
          gitlab: { ...scanner, types: ['gitleaks_rule_id_a'] },
          webhook: { ...scanner, answer: 'act' },
        },
        honeySecrets: { root: { name: 'payments/root', owner: 'team-shop', shape: 'access-key' } },
      };
    },
  },
  {
    name: 'a trail of its own',
    fields: ['trail.create'],
    apply: (environment) => ({ ...environment, trail: { create: true } }),
  },
  {
    name: 'a trail that is there',
    fields: ['trail.bucket', 'trail.prefix', 'trail.organization', 'trail.encryptionKey'],
    apply: (environment) => ({
      ...environment,
      trail: {
        bucket: 'organization-trail',
        prefix: 'trails',
        organization: 'o-a1b2c3d4e5',
        encryptionKey: anyKey,
      },
    }),
  },
  {
    name: 'principals that may be quarantined',
    fields: ['quarantine.principals'],
    apply: (environment) => ({
      ...environment,
      quarantine: { principals: ['arn:aws:iam::000000000000:role/app-*'] },
    }),
  },
  {
    name: 'reserved concurrency',
    fields: [
      'reservedConcurrency.intake',
      'reservedConcurrency.workflow',
      'reservedConcurrency.containment',
      'reservedConcurrency.writer',
      'reservedConcurrency.quota',
    ],
    apply: (environment) => ({
      ...environment,
      reservedConcurrency: { intake: 2, workflow: 2, containment: 2, writer: 1, quota: 2_000 },
    }),
  },
];
