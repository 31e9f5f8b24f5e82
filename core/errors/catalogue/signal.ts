import type { Entries } from './entry.ts';

/** Errors of signals from outside, and of reports of scanners. */
export const signal: Entries<'signal'> = {
  SignalMalformed: {
    meaning: 'A message of a known sender is of another form than the sender documents; nothing was done.',
    mender: 'operator',
    remedy:
      'Look at the sender’s page for what it found. If its form has changed, use a version of Rekey that knows it.',
  },
  SignalForged: {
    meaning: 'A message to the address of signals is not signed by its sender; nothing of it was read.',
    mender: 'operator',
    remedy:
      'See the runbook signal-rejected: compare the shared secret on both sides, or have the address looked at.',
  },
  SignalStale: {
    meaning:
      'A message to the address of signals was signed too long ago, or ahead of now; it may be a copy.',
    mender: 'caller',
    remedy: 'Set the sender’s clock right, and have it send the message again.',
  },
  SignalKeyUnknown: {
    meaning: 'GitHub’s partner program signed with a public key that the configuration does not name.',
    mender: 'operator',
    remedy:
      'Compare the keys with https://api.github.com/meta/public_keys/secret_scanning, add the new one and deploy.',
  },
  SignalSecretInvalid: {
    meaning: 'The secret that holds what a sender signs with is missing, or of another form.',
    mender: 'operator',
    remedy: 'Put `{"secret": "…"}` into it, and have the sender send the message again.',
  },
  SignalNotTaken: {
    meaning:
      'A genuine signal could not be worked on: a service did not answer, or the bus did not take the request.',
    mender: 'nobody, it passes',
    remedy: 'The sender or the queue tries again. See the runbook signal-dead-letters for what was given up.',
  },
  ScanReportInvalid: {
    meaning: 'A file is no report of a scanner that Rekey reads, or is cut off; nothing was looked up.',
    mender: 'caller',
    remedy:
      'Give the JSON report of gitleaks, TruffleHog (`--json`), detect-secrets, or of GitHub’s alerts of secret scanning.',
  },
};
