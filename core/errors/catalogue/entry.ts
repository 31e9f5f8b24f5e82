import type { ErrorCodeOf, ErrorGroup } from '../codes.ts';

/** People who can mend what an error says, and what each of them is. */
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

/** The catalogue's entry for an error's code. Whether it is retried stands in `codes.ts`. */
export interface ErrorEntry {
  /** Sentence that says what happened. */
  readonly meaning: string;
  readonly mender: Mender;
  /** Steps of the mender. */
  readonly remedy: string;
}

/** An entry for each code of a group: the compiler demands every one. */
export type Entries<Group extends ErrorGroup> = Readonly<Record<ErrorCodeOf<Group>, ErrorEntry>>;
