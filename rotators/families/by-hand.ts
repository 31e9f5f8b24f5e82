import { pairOf } from '../../core/secret/alternating-users.ts';
import type { Strategy } from '../../core/secret/secret.ts';
import { shellWord } from '../../core/shell-word.ts';

/** The facts from which statements for a person are made. A fact that is not known becomes a placeholder. */
export interface HandTarget {
  /** Name or ARN of the secret. */
  readonly secret: string;
  /** Strategy of its rotation. @default single-user */
  readonly strategy?: Strategy;
  /** Keys of the secret's JSON that name the user and the place, as far as they are known. None of its credential. */
  readonly fields: HandFields;
  /** The admin secret, and what is known of its user and place. @default - none is known */
  readonly admin?: { readonly secret: string; readonly fields: HandFields };
}
type HandFields = Readonly<Record<string, unknown>>;

/** The purposes of steps, in the words that people and `--json` get. */
export type HandAim =
  | 'find'
  | 'log in'
  | 'refuse logins'
  | 'end sessions'
  | 'set a new credential'
  | 'store it'
  | 'see it refused';

/** One step that a person takes at the target. Lines are run one by one, as they are. */
export interface HandStep {
  readonly aim: HandAim;
  /** Language of the lines: `http` is a request, its header fields and, behind an empty line, its body. */
  readonly in: 'shell' | 'sql' | 'redis-cli' | 'http';
  readonly lines: readonly string[];
  /** True if the lines print further lines, which are to be run as well. */
  readonly printsLines?: true;
  /** Sentence that a person must know before. */
  readonly note?: string;
}

/** The steps for one secret, and what holds for all of them. */
export interface HandSteps {
  readonly steps: readonly HandStep[];
  readonly notes: readonly string[];
}

/** Writes the steps of one secret type. It reads no secret and asks nobody. */
export type ByHand = (target: HandTarget) => HandSteps;

/** Marks a place where a person puts something in. Every quoting keeps it one word, so that a line left as it is fails. */
export const placeholder = (what: string): string => `<${what}>`;

/** Gives a field as text; a placeholder where it is not known. */
export function known(fields: HandFields, key: string, what: string = key): string {
  const value = fields[key];
  return value === undefined || value === null || value === '' ? placeholder(what) : String(value);
}

/** Names the users whose logins a leak of the secret may be: both of a pair that takes turns. */
export function usersOf({ strategy, fields }: HandTarget): readonly string[] {
  const username = known(fields, 'username', 'user');
  const { base, clone } = pairOf(username);
  return strategy === 'alternating-users' ? [base, clone] : [username];
}

/** Names the user who gets the new password. Of a pair it is the one that people grant to. */
export const heirOf = (target: HandTarget): string => usersOf(target)[0] ?? placeholder('user');

/** Names the admin's login, and the place where users are changed: that of the admin where it differs. */
export function adminOf({ fields, admin }: HandTarget, defaultPort: number) {
  const port = (of: HandFields) => known({ port: defaultPort, ...of }, 'port');
  const own = { host: known(fields, 'host'), port: port(fields) };
  const at =
    typeof admin?.fields.host === 'string' ? { host: admin.fields.host, port: port(admin.fields) } : own;
  return {
    username: known(admin?.fields ?? {}, 'username', 'admin user'),
    at,
    /** The place of the secret, where that is a replica of the admin's. */
    ...((at.host !== own.host || at.port !== own.port) && { replica: own }),
  };
}

/** Says who runs the steps where the secret has no admin secret. */
export const adminNotes = ({ admin }: HandTarget): readonly string[] =>
  admin === undefined
    ? [
        'No admin secret is known. Any login that may change users will do; the user cannot refuse its own logins, so without one set the new password first.',
      ]
    : [`The admin's login is in the secret ${admin.secret}.`];

/** Makes a new password in the shell. It has every kind of character that targets ask for, and 104 random bits. */
export const newPassword = 'export NEW="Aa1$(openssl rand -hex 13)"';

/**
 * Stores the new credential as the current version. The rest of the JSON stays, and no value is an argument of a program.
 * @param change - filter of jq that puts the credential in, with the value in `env.NEW`
 * @see https://docs.aws.amazon.com/cli/latest/reference/secretsmanager/put-secret-value.html
 */
export function store(target: HandTarget, change?: string): HandStep {
  const id = shellWord(target.secret);
  const takesTurns = target.strategy === 'alternating-users';
  const filter =
    change ??
    (takesTurns
      ? `.username = ${JSON.stringify(heirOf(target))} | .password = env.NEW`
      : '.password = env.NEW');
  return {
    aim: 'store it',
    in: 'shell',
    lines: [
      `aws secretsmanager get-secret-value --secret-id=${id} --query=SecretString --output=text | jq -c ${shellWord(filter)} | aws secretsmanager put-secret-value --secret-id=${id} --secret-string=file:///dev/stdin --query=VersionId`,
    ],
    note: 'While Secrets Manager is away, hand the new value to the consumers by another way, and store it when it is back.',
  };
}
