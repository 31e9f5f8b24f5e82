import { SecretError, TargetError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext } from '../../core/rotator.ts';
import { pairOf } from '../../core/secret/alternating-users.ts';
import { requireAdmin, requireOtherAdmin, standsAlone } from '../families/alternating.ts';
import { isProven } from '../families/assigned.ts';
import { using } from '../transport/login.ts';
import { open, type Session, tryOpen } from './connection.ts';
import { prepareFollower } from './follower.ts';
import { adoptStrays, countStrays } from './ownership.ts';
import {
  noteStandbys,
  type Role,
  readRoles,
  requireAlter,
  requireValid,
  setPassword,
  type Verifier,
  verifierOf,
} from './role.ts';
import { databaseOf, type PostgresSecret } from './schema.ts';
import { noteLoginRestored } from './single.ts';
import { quote } from './sql.ts';
import type { PasswordForm, ServerForm } from './wire.ts';

type Context = ApplyContext<PostgresSecret>;

/**
 * Gives the other user of the pair its new password, as the admin. The pair acts as one. One of the two, the anchor, holds
 * everything. The other, the follower, is a member of it and acts as it from login on (`ALTER ROLE follower SET role = anchor`).
 * Whatever is granted to the anchor at any time reaches both, and objects that either creates belong to the anchor. What does not
 * come with membership is copied afresh at each rotation: settings, connection limit, VALID UNTIL, REPLICATION.
 */
export async function applyAlternating(next: PostgresSecret, context: Context): Promise<void> {
  const admin = await requireAdmin(next, context);
  const heard: ServerForm = {};
  const [proven, verifier, session] = await allOrClose(
    isProven(next, context, (secret) => tryOpen(secret, context, heard)),
    verifierOf(next, context.random),
    open(admin, context, databaseOf(next)),
  );
  await using(session, () => change({ session, next, verifier, kept: heard.form, context }, proven));
}

/** Waits for all three. When one fails, it closes the connection that another may have opened meanwhile. */
async function allOrClose(
  proof: Promise<boolean>,
  verifying: Promise<Verifier>,
  opening: Promise<Session>,
): Promise<[boolean, Verifier, Session]> {
  try {
    return await Promise.all([proof, verifying, opening]);
  } catch (error) {
    await Promise.allSettled([proof, verifying]);
    await opening.then(
      (session) => session.end(),
      () => {},
    );
    throw error;
  }
}

/** The values that one run works with. */
interface Work {
  readonly session: Session;
  readonly next: PostgresSecret;
  readonly verifier: Verifier;
  readonly kept: PasswordForm | undefined;
  readonly context: Context;
}

async function change(work: Work, proven: boolean): Promise<void> {
  const { session, next, context } = work;
  // Objects are handed over in a transaction of their own: the locks that it takes must not outlive it, and the new
  // password comes last, when everything else is as it must be.
  const strays = await session.transaction(async (version) => {
    const pair = await preparePair(session, next, proven, version, context);
    const found = pair === undefined || pair.created ? 0 : await countStrays(session, pair.follower);
    if (found === 0) await finish(work);
    return found === 0 ? undefined : pair;
  });
  if (strays === undefined) return;
  await adoptStrays(session, strays.follower, strays.anchor, context);
  await session.transaction(() => finish(work));
}

async function finish({ session, next, verifier, kept, context }: Work): Promise<void> {
  const role = (await readRoles(session, [next.username])).get(next.username);
  if (role !== undefined) requireValid(session, role);
  await noteStandbys(session, next.username, context);
  await setPassword(session, next.username, verifier, { login: role?.login === false, kept });
  if (role?.login === false) noteLoginRestored(next.username, context);
}

interface Pair {
  readonly anchor: Role;
  readonly follower: Role;
  readonly created: boolean;
}

/** Brings the pair in order. It returns undefined where the user of the next version is alone and may be. */
async function preparePair(
  session: Session,
  next: PostgresSecret,
  proven: boolean,
  version: number,
  context: Context,
): Promise<Pair | undefined> {
  const { base, clone } = pairOf(next.username);
  const other = next.username === base ? clone : base;
  const roles = await readRoles(session, [base, clone]);
  const existing = [...roles.values()];
  requireOtherAdmin(session.place.username, next.username);
  for (const role of existing) {
    if (!proven && role.privileged) {
      throw new SecretError(
        'CredentialUnusable',
        `no version of the secret logs in, and "${role.name}" is too privileged a user to be reset by the admin ` +
          'without any proof that the secret belongs to it; set its password by hand to that of one version',
      );
    }
    requireAlter(session, role, version);
  }
  if (!roles.has(other)) {
    if (standsAlone(next.username, roles.has(next.username))) return undefined;
    throw new TargetError(
      'TargetRefused',
      `${session.place.where}: there is no role "${other}", which "${next.username}" would take turns with`,
    );
  }
  if (!roles.has(next.username)) {
    await create(session, next.username, existing);
    for (const [name, role] of await readRoles(session, [next.username])) roles.set(name, role);
  }
  const anchorName =
    (await isMember(session, base, clone)) || !existing.some(({ name }) => name === base) ? clone : base;
  const anchor = roles.get(anchorName);
  const follower = roles.get(anchorName === base ? clone : base);
  if (anchor === undefined || follower === undefined) {
    throw new TargetError(
      'TargetRefused',
      `${session.place.where}: role "${next.username}" was dropped meanwhile`,
    );
  }
  // Its date is copied to the follower, so no password would log in.
  requireValid(session, anchor);
  await prepareFollower(session, follower, anchor, version, context);
  return { anchor, follower, created: existing.length === 1 };
}

async function create(session: Session, username: string, existing: readonly Role[]): Promise<void> {
  const admin = session.place.username;
  if (!existing.some(({ adminCreateRole, adminSuperuser }) => adminCreateRole || adminSuperuser)) {
    throw new TargetError(
      'PermissionMissing',
      `${session.place.where}: may not create role "${username}"; ALTER ROLE ${quote(admin)} CREATEROLE`,
    );
  }
  await session.run(`CREATE ROLE ${quote(username)} NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT LOGIN`, {
    doing: `create role "${username}"`,
    missing: `ALTER ROLE ${quote(admin)} CREATEROLE`,
  });
}

/** Tells whether `member` is a member of `group` by a chain of grants. Being a superuser does not make it one. */
async function isMember(session: Session, member: string, group: string): Promise<boolean> {
  const rows = await session.run(
    `WITH RECURSIVE chain(oid) AS (
       SELECT oid FROM pg_roles WHERE rolname = $1::name
       UNION SELECT m.roleid FROM pg_auth_members m JOIN chain ON m.member = chain.oid)
     SELECT 1 FROM chain JOIN pg_roles r USING (oid) WHERE r.rolname = $2::name AND $1::name <> $2::name`,
    { doing: 'look up memberships' },
    [member, group],
  );
  return rows.length > 0;
}
