import type { ErrorCodeOf, ErrorGroup } from '../codes.ts';

/** Who can mend what an error says, and what each of them is. */
export const menders = {
  'nobody, it passes': 'Rekey or AWS tries again',
  operator: 'deploys the environment and rotates its secrets: `rekey secret …`, `rekey doctor`',
  'owner of the secret': 'stores its value, and is named as `owner` in the configuration',
  'administrator of the target': 'may create users and give permissions in the database, cache or service',
  'administrator of AWS': 'decides about policies, keys, networks and quotas of the account',
  'sender of the request': 'asks for a revocation, by `rekey revoke` or by an event',
  caller: 'types the command',
  auditor: 'reads and verifies the audit log',
  'maintainers of Rekey': 'mend a defect; open an issue with the code and the lines of the log around it',
} as const;
export type Mender = keyof typeof menders;

/** What the catalogue says of an error's code, besides whether it is retried. */
export interface ErrorEntry {
  /** What happened, one sentence. */
  readonly meaning: string;
  readonly mender: Mender;
  /** What they do about it. */
  readonly remedy: string;
}

/** One entry for each code of a group: a code without one does not compile. */
export type Entries<Group extends ErrorGroup> = Readonly<Record<ErrorCodeOf<Group>, ErrorEntry>>;
