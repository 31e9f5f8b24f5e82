import { environmentRule } from '../define.ts';

export const nobodyNotified = environmentRule({
  id: 'NobodyNotified',
  severity: 'error',
  goesBy: 'require.notifications',
  demand: 'Somebody is told when something goes wrong.',
  reason: 'A failed rotation that nobody hears of becomes an outage, and a failed revocation a breach.',
  controls: [
    'PCI DSS 4.0.1 10.7.2',
    'NIST 800-53 r5 IR-6',
    'NIST 800-53 r5 SI-4(5)',
    'ISO 27001:2022 A.5.25',
    'SOC 2 CC7.3',
  ],
  examine: ({ path, notifies }) => ({
    setting: notifies ? 'somebody' : 'nobody',
    from: `${path}.notifications`,
    ...(!notifies && {
      broken: {
        message: 'notifications has no address, no topic and no channel',
        fix: `Set ${path}.notifications.emails, or its topicArn.`,
      },
    }),
  }),
});
