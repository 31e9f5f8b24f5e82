import { TargetError } from '../../core/errors/rekey-error.ts';
import type { Finding } from '../../core/findings/codes.ts';
import type { ApplyContext } from '../../core/rotator.ts';
import { pairOf } from '../../core/secret/alternating-users.ts';
import { requireAdmin, requireOtherAdmin, standsAlone } from '../families/alternating.ts';
import { isProven } from '../families/assigned.ts';
import { using } from '../transport/login.ts';
import { attributeChanges } from './attributes.ts';
import { open, type Session, tryOpen } from './connection.ts';
import { type Access, grantChanges, readAccess, sharing } from './grants.ts';
import { keptForm, type ServerForm } from './password.ts';
import { databaseOf, type RedshiftSecret } from './schema.ts';
import { quote } from './sql.ts';
import {
  readUsers,
  requireHarmless,
  requireSuperuser,
  requireValid,
  setPassword,
  type User,
} from './user.ts';

type Context = ApplyContext<RedshiftSecret>;

/**
 * Gives the other user of the pair its new password, as the admin. The user without the suffix is the one that people grant to.
 * The clone is brought to what that one has at each rotation to the clone. Redshift can make no user act as another, so each owns
 * what it makes; the other gets all privileges on it. All of it is one transaction, the password its last statement.
 */
export async function applyAlternating(next: RedshiftSecret, context: Context): Promise<void> {
  const admin = await requireAdmin(next, context);
  const heard: ServerForm = {};
  const proven = await isProven(next, context, (secret) => tryOpen(secret, context, heard));
  const kept = keptForm(next.username, next.password, heard, context.random);
  await using(await open(admin, context, {}, databaseOf(next)), async (session) => {
    const notes = await session.transaction(() => change(session, next, kept, proven));
    for (const note of notes) context.finding(note);
  });
}

/** Changes the user of `next` and its password. @returns what a person should look at, to be said when the transaction holds */
async function change(
  session: Session,
  next: RedshiftSecret,
  kept: string,
  proven: boolean,
): Promise<Finding[]> {
  const { username } = next;
  const { base, clone } = pairOf(username);
  const otherName = username === base ? clone : base;
  requireOtherAdmin(session.place.username, username);
  await requireSuperuser(session);
  const users = await readUsers(session, [base, clone]);
  if (!proven) for (const user of users.values()) requireHarmless(user);
  const other = users.get(otherName);
  const found = users.get(username);
  if (other === undefined && found !== undefined && standsAlone(username, true)) {
    requireValid(session, found);
    await setPassword(session, username, kept);
    return [];
  }
  if (other === undefined) {
    throw new TargetError(
      'TargetRefused',
      `${session.place.where}: there is no user "${otherName}", which "${username}" would take turns with`,
    );
  }
  const created = found === undefined;
  const own = found ?? (await create(session, username));
  // The user without the suffix follows only once, when it is made: somebody began with the clone.
  const follows = username === clone || created;
  requireValid(session, follows ? other : own);
  const notes: Finding[] = [];
  const access = await readAccess(session, [username, otherName]);
  const [mine, others] = [accessOf(access, username), accessOf(access, otherName)];
  const { takes, gives } = grantChanges(username, mine, others);
  if (follows) {
    await runAll(session, username, [...attributeChanges(own, other), ...takes, ...gives]);
  } else if (gives.length > 0) {
    notes.push(differ(base, gives));
  }
  await runAll(session, username, [
    ...sharing(username, mine, otherName, others),
    ...sharing(otherName, others, username, mine),
  ]);
  if (mine.owns.length + others.owns.length > 0) notes.push(ownersDiffer(session, base, clone, access));
  await setPassword(session, username, kept);
  return notes;
}

const none: Access = { grants: [], groups: [], owns: [], shares: new Set() };
const accessOf = (access: ReadonlyMap<string, Access>, name: string) => access.get(name) ?? none;

async function create(session: Session, username: string): Promise<User> {
  await session.run(`CREATE USER ${quote(username)} PASSWORD DISABLE`, {
    doing: `create user "${username}"`,
    missing: `ALTER USER ${quote(session.place.username)} CREATEUSER`,
  });
  const user = (await readUsers(session, [username])).get(username);
  if (user !== undefined) return user;
  throw new TargetError('TargetRefused', `${session.place.where}: user "${username}" was dropped meanwhile`);
}

async function runAll(session: Session, username: string, statements: readonly string[]): Promise<void> {
  for (const statement of statements) {
    await session.run(statement, {
      doing: `give "${username}" what its pair has: ${statement}`,
      missing: `ALTER USER ${quote(session.place.username)} CREATEUSER`,
    });
  }
}

/** Makes the finding on what only the clone may do. The application loses it with this rotation, and the clone with the next. */
const differ = (base: string, lacking: readonly string[]): Finding => ({
  code: 'GrantsDiffer',
  message: `the clone may do what "${base}" may not; if that is meant: ${lacking.join('; ')}`,
});

const ownersDiffer = (
  { place }: Session,
  base: string,
  clone: string,
  access: ReadonlyMap<string, Access>,
): Finding => ({
  code: 'ObjectsNotShared',
  message:
    `in database "${place.database}" ${accessOf(access, base).owns.length} schemas, tables and views belong to "${base}" and ` +
    `${accessOf(access, clone).owns.length} to "${clone}"; each may use those of the other, but only the owner can change or ` +
    'drop one; let a third user own them (ALTER TABLE … OWNER TO)',
});
