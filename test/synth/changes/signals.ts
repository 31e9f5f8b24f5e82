const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555';
const setting = <T>(one: T, other: T) => ({ setting: [undefined, one, other, undefined] as const });
const partnerKey = (text: string): string =>
  `-----BEGIN PUBLIC KEY-----\n${text}\n-----END PUBLIC KEY-----\n`;

/** A value of the second of the steps, or of the third: a trail is made, or is there, and never both. */
const second = (value: unknown) => ({ setting: [undefined, value, undefined, undefined] as const });
const third = (value: unknown) => ({ setting: [undefined, undefined, value, undefined] as const });

/** Samples of the fields about the trail. */
export const trailSamples = {
  'trail.create': second(true),
  'trail.bucket': third('organization-trail'),
  'trail.prefix': third('trails'),
  'trail.organization': third('o-a1b2c3d4e5'),
  'trail.encryptionKey': third(keyArn),
};

/** Samples of the fields about signals, honey secrets and quarantines. */
export const signalSamples = {
  'quarantine.principals': setting(
    ['arn:aws:iam::111122223333:role/app-*'],
    ['arn:aws:iam::111122223333:role/app-*', 'arn:aws:iam::111122223333:user/ci-*'],
  ),
  // Found by fingerprints, which one of the steps has switched off.
  'signals.health.answer': setting('ask', 'record'),
  'signals.health.mode': setting('kill', 'replace'),
  'signals.guardduty.answer': setting('ask', 'record'),
  'signals.guardduty.mode': setting('kill', 'replace'),
  'signals.securityhub.answer': setting('record', 'ask'),
  'signals.securityhub.mode': setting('replace', 'kill'),
  'signals.github.answer': setting('ask', 'act'),
  'signals.github.mode': setting('replace', 'kill'),
  'signals.github.secret': setting('scanners/github', 'scanners/github-new'),
  'signals.github.encryptionKey': setting(keyArn, `${keyArn.slice(0, -1)}0`),
  'signals.githubPartner.answer': setting('ask', 'record'),
  'signals.githubPartner.mode': setting('kill', 'replace'),
  'signals.githubPartner.publicKeys.*': setting(partnerKey('AAAA'), partnerKey('BBBB')),
  'signals.gitguardian.answer': setting('ask', 'record'),
  'signals.gitguardian.mode': setting('kill', 'replace'),
  'signals.gitguardian.secret': setting('scanners/gitguardian', 'scanners/gitguardian-new'),
  'signals.gitguardian.encryptionKey': setting(keyArn, undefined),
  'signals.gitlab.answer': setting('ask', 'record'),
  'signals.gitlab.mode': setting('kill', 'replace'),
  'signals.gitlab.secret': setting('scanners/gitlab', 'scanners/gitlab-new'),
  'signals.gitlab.encryptionKey': setting(keyArn, undefined),
  'signals.gitlab.types': setting(['gitleaks_rule_id_a'], ['gitleaks_rule_id_a', 'gitleaks_rule_id_b']),
  'signals.webhook.answer': setting('ask', 'act'),
  'signals.webhook.mode': setting('replace', 'kill'),
  'signals.webhook.secret': setting('scanners/own', 'scanners/own-new'),
  'signals.webhook.encryptionKey': setting(keyArn, undefined),
  'honeySecrets.*': setting({}, {}),
  'honeySecrets.*.name': setting('payments/root', 'payments/admin'),
  'honeySecrets.*.shape': setting('database', 'access-key'),
  'honeySecrets.*.owner': setting('team-security', 'team-incidents'),
};
