import { defineConfig } from '../../../lib/config/config.ts';

/** A configuration in which every rule of a policy is broken once, at the line that names it. */
export default defineConfig({
  policy: { strategies: ['single-user', 'dual-credential', 'alternating-users'] },
  environments: {
    staging: {
      account: '111122223333',
      region: 'eu-central-1',
      audit: { retentionDays: 30 },
      notifications: { emails: ['platform@example.com'] },
      policy: {
        stage: 'staging',
        rotateWithinDays: 120, // planted: CadenceUnreasoned
        promotion: { from: 'testing' }, // planted: PromotionPathBroken
        require: { lifecycle: true }, // planted: LifecycleUnrecorded
      },
      secrets: {
        ledger: {
          type: 'generic',
          strategy: 'single-user',
          adopt: 'shared/ledger', // planted: SecretShared
          encryptionKey: 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555',
          owner: 'team-ledger',
        },
      },
    },
    prod: {
      account: '111122223333', // planted: AccountMissing
      manualSecrets: {
        licence: {
          adopt: 'vendor/licence',
          owner: 'team-web',
          purpose: 'opens the API of a vendor',
          replaceEveryDays: 730, // planted: ReplacementTooSeldom
        },
      },
      approvals: { revocation: { replace: 'second person' } }, // planted: NameNotHeld
      audit: { retentionDays: 90 }, // planted: AuditRetentionTooShort
      rotation: {
        overlapHours: 200, // planted: OverlapTooLong
        brakeAfter: 0, // planted: BrakeOff
      },
      // planted: ResponderMissing
      // planted: AuditorMissing
      // planted: NobodyNotified
      access: {
        operators: ['444455556666', 'arn:aws:iam::111122223333:role/lead'],
        approvers: [
          'arn:aws:iam::111122223333:role/lead', // planted: DutiesNotSeparated
          'arn:aws:iam::444455556666:role/lead', // planted: DutiesShareAccount
        ],
      },
      // planted: FingerprintsOff
      policy: {
        stage: 'production',
        types: ['postgresql', 'mysql', 'generic', 'http'],
        strategies: ['single-user', 'alternating-users'],
        promotion: { from: 'staging' },
        waivers: [
          {
            rule: 'ConsumersMissing',
            reason: 'nobody has asked the teams yet',
            until: '2036-01-01', // planted: WaiverTooLong
          },
          {
            rule: 'DefinitionNotPromoted',
            secret: 'orders',
            reason: 'staging has no database of orders before May',
            until: '2026-05-01',
          },
        ],
      },
      secrets: {
        orders: {
          type: 'postgresql',
          strategy: 'single-user', // planted: RotationInterrupts
          create: {
            name: 'orders/database',
            fields: {
              engine: 'postgres',
              host: 'orders.cluster-c1a2b3d4e5f6.eu-central-1.rds.amazonaws.com', // planted: SecretNeedless
              username: 'orders',
              apiToken: 'planted', // planted: ValueInConfiguration
            },
          },
          adminSecret: { adopt: 'database/admin' },
          passwords: { length: 10 }, // planted: PasswordTooWeak
          allowPlaintext: true, // planted: PlaintextAllowed
          schedule: 'rate(180 days)', // planted: RotationTooSeldom
          maximumAgeDays: 200, // planted: OverdueTooLate
          owner: 'team-orders',
          consumers: ['orders-api'], // planted: PurposeMissing
        },
        ledger: {
          type: 'generic',
          strategy: 'single-user',
          adopt: 'shared/ledger', // planted: SecretShared
          owner: 'team-ledger', // planted: CustomerKeyMissing
          purpose: 'signs the entries of the ledger',
          consumers: [], // planted: ConsumersMissing
        },
        cache: {
          type: 'redis', // planted: TypeNotAllowed
          strategy: 'dual-credential', // planted: StrategyNotAllowed
          adopt: 'cache/session', // planted: DefinitionNotPromoted
          adminSecret: { adopt: 'cache/admin' },
          encryptionKey: 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555',
          owner: 'team-web',
          purpose: 'keeps sessions',
          consumers: ['web'],
        },
      },
    },
  },
});
