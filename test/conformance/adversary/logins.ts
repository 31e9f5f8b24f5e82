import fc from 'fast-check';
import type { HostileServer } from '../hostile.ts';
import type { Target } from '../scene.ts';
import type { LiveSession } from '../target.ts';
import type { Known, Plot, Secret } from './story.ts';

/** Where his versions point: the name that the certificate has or another, the server's port or that of his own. */
export type Place = Partial<{
  host: 'real' | 'other' | 'none';
  port: 'real' | 'his';
  ssl: boolean | 'unsaid';
  masterarn: 'admin' | 'none' | 'gone';
}>;

export const placeFields = {
  host: fc.constantFrom('real' as const, 'other' as const),
  port: fc.constantFrom('real' as const, 'his' as const),
  ssl: fc.constantFrom(true, false, 'unsaid' as const),
  masterarn: fc.constantFrom('admin' as const, 'none' as const, 'gone' as const),
};

/** The keys of the JSON that a {@link Place} edits. */
export function placed(
  { host, port, ssl, masterarn }: Place,
  first: Secret,
  hostile: Pick<HostileServer, 'port'>,
): Secret {
  const hosts = { real: first.host, other: '127.0.0.1', none: undefined };
  return {
    ...(host && { host: hosts[host] }),
    ...(port && { port: port === 'real' ? first.port : hostile.port }),
    ...(ssl !== undefined && { ssl: ssl === 'unsaid' ? undefined : ssl }),
    ...(masterarn === 'none' && { masterarn: undefined }),
    ...(masterarn === 'gone' && { masterarn: `${first.masterarn}-gone` }),
  };
}

/** A password of his that every target's rules allow. */
export const guessed = (serial: number) => {
  const guess = `A-guess-of-his-${String(serial).padStart(4, '0')}`;
  return { guess, password: guess };
};

interface Cast {
  readonly target: Target;
  readonly hostile: readonly HostileServer[];
  /** The users of the secret, as a login to the real place. */
  readonly own: readonly Secret[];
  /** Those whom nothing of the story may reach; the first has a session open. */
  readonly victims: readonly [Secret, ...Secret[]];
  readonly admin?: Secret;
  /** Passwords that were set at the target, in no version of the secret maybe. @default none are known */
  readonly given?: readonly string[];
}

/** What he must not have got where users log in with passwords, looked at with logins. */
export async function watchLogins({
  target,
  hostile,
  own,
  victims,
  admin,
  given = [],
}: Cast): Promise<Pick<Plot<never>, 'look' | 'lastLook' | 'end'>> {
  const [victim] = victims;
  const session: LiveSession = await target.openSession(victim);
  const logsInAs = (user: Secret, password: string) => target.logsIn(target.withPassword(user, password));

  /** All passwords of this story that are not his. */
  const others = ({ versions, guesses }: Known) => [
    ...new Set(
      [...versions, victim, ...(admin ? [admin] : [])]
        .map((one) => String(one.password))
        .concat(given)
        .filter((password) => !guesses.has(password)),
    ),
  ];
  const works = async (password: string): Promise<boolean> => {
    for (const user of [...own, ...victims]) if (await logsInAs(user, password)) return true;
    return password === admin?.password;
  };
  return {
    async look(known) {
      const faults: string[] = [];
      for (const server of hostile) {
        for (const password of server.learned(others(known))) {
          if (await works(password)) faults.push('he learned a password that works');
        }
      }
      if (!(await target.logsIn(victim))) faults.push("the other user's password works no more");
      if (!(await session.alive())) faults.push("the other user's session was ended");
      if (admin && !(await target.logsIn({ ...admin, dbname: own[0]?.dbname }))) {
        faults.push("the admin's password works no more");
      }
      for (const guess of known.guesses) {
        for (const user of [...victims, ...(admin ? [admin] : [])]) {
          if (await logsInAs({ ...user, dbname: own[0]?.dbname }, guess)) {
            faults.push(`he logs in as ${String(user.username)}`);
          }
        }
      }
      return faults;
    },
    async lastLook(known) {
      const faults: string[] = [];
      // Written where he may not read, but where others may who must not have it.
      for (const password of others(known)) {
        if (password === victim.password || password === admin?.password) continue;
        for (const user of victims) {
          if (await logsInAs(user, password)) faults.push('the secret holds a password of the other user');
        }
      }
      return faults;
    },
    end: () => session.close(),
  };
}
