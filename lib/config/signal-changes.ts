const deploy = (what: string) => ({ effect: 'deploy', what }) as const;

const answer = deploy('the next signal is answered so');
const sender = deploy('counts within a minute of the deploy; messages that are signed otherwise are refused');
const key = deploy('the function may use it');

/** The effect of a change of each field about signals from outside and honey secrets. */
export const signalChanges = {
  'signals.health.answer': answer,
  'signals.health.mode': answer,
  'signals.guardduty.answer': answer,
  'signals.guardduty.mode': answer,
  'signals.securityhub.answer': answer,
  'signals.securityhub.mode': answer,
  'signals.github.answer': answer,
  'signals.github.mode': answer,
  'signals.github.secret': sender,
  'signals.github.encryptionKey': key,
  'signals.githubPartner.answer': answer,
  'signals.githubPartner.mode': answer,
  'signals.githubPartner.publicKeys.*': sender,
  'signals.gitguardian.answer': answer,
  'signals.gitguardian.mode': answer,
  'signals.gitguardian.secret': sender,
  'signals.gitguardian.encryptionKey': key,
  'signals.gitlab.answer': answer,
  'signals.gitlab.mode': answer,
  'signals.gitlab.secret': sender,
  'signals.gitlab.encryptionKey': key,
  'signals.gitlab.types': deploy('GitLab asks for them, and sends values of no other type'),
  'signals.webhook.answer': answer,
  'signals.webhook.mode': answer,
  'signals.webhook.secret': sender,
  'signals.webhook.encryptionKey': key,
  'honeySecrets.*': deploy(
    'the honey secret comes, or goes with its value; another key is another honey secret',
  ),
  'honeySecrets.*.name': deploy('another honey secret is made under that name, and the former one goes'),
  'honeySecrets.*.shape': deploy('it gets a value of that form; nobody uses it, so nothing breaks'),
  'honeySecrets.*.owner': deploy('counts for the next use'),
} as const;
