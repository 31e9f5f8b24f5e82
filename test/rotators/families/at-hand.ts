import { systemRandom } from '../../../adapters/system.ts';
import type { Finding } from '../../../core/findings/codes.ts';
import type { ApplyContext } from '../../../core/rotator.ts';
import { LoginDenied, LoginRefused } from '../../../rotators/transport/login.ts';

/** A login at a server, as the JSON of a secret has it. */
export interface Account {
  readonly username: string;
  readonly password: string;
  readonly host: string;
}

/** Makes an account at the server of the tests. */
export const account = (password: string, username = 'app', host = 'db.example'): Account => ({
  username,
  password,
  host,
});

/** The versions of a secret, and what the deployment says about it. */
export interface Kept {
  readonly current?: Account;
  readonly previous?: Account | Error;
  readonly others?: readonly Account[];
  readonly admin?: Account | Error;
  readonly assigned?: boolean;
  readonly strategy?: 'single-user' | 'alternating-users';
}

/** Gives what a rotator works with, and notes what it reads and what it finds. */
export function atHand(kept: Kept) {
  const findings: Finding[] = [];
  const read: string[] = [];
  const give = (what: string, value: Account | Error | undefined) => {
    read.push(what);
    if (value instanceof Error) throw value;
    return value;
  };
  const context: ApplyContext<Account> = {
    connectTimeoutMs: 1_000,
    statementTimeoutMs: 1_000,
    random: systemRandom,
    strategy: kept.strategy ?? 'single-user',
    finding: (finding) => findings.push(finding),
    credentials: {
      current: kept.current ?? account('the current one'),
      admin: async () => give('admin', kept.admin),
      previous: async () => give('previous', kept.previous),
      async *others() {
        for (const other of kept.others ?? []) yield give('other', other) as Account;
      },
      isAssigned: async () => {
        read.push('assigned');
        return kept.assigned ?? false;
      },
    },
  };
  return { context, findings, read };
}

/** A session that a server of the tests has given. */
export interface OpenSession {
  readonly of: Account;
  end(): Promise<void>;
}

/** A server that answers each password as it was told, and refuses all others. */
export class Door {
  readonly tried: Account[] = [];
  readonly #answers: Readonly<Record<string, 'open' | Error>>;
  #open = 0;

  constructor(answers: Readonly<Record<string, 'open' | Error>>) {
    this.#answers = answers;
  }

  /** Number of sessions that nobody has closed. */
  get open(): number {
    return this.#open;
  }

  /** The passwords that were tried, in their order. */
  get passwords(): readonly string[] {
    return this.tried.map(({ password }) => password);
  }

  readonly tryOpen = async (of: Account): Promise<OpenSession | LoginRefused> => {
    this.tried.push(of);
    const answer = this.#answers[of.password] ?? new LoginRefused(`the server refused "${of.username}"`);
    if (answer instanceof LoginDenied) return answer;
    if (answer instanceof Error) throw answer;
    this.#open += 1;
    const end = async () => {
      this.#open -= 1;
    };
    return { of, end };
  };
}
