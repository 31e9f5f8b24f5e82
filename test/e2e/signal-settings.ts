/** Settings of the environment about signals. */
export const signalSettings = {
  signals: {
    securityhub: { answer: 'act', mode: 'replace' },
    webhook: { answer: 'act', mode: 'kill', secret: 'scanners/own' },
  },
  honeySecrets: { root: { name: 'payments/root', owner: 'team-security' } },
} as const;
