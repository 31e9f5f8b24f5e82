import { TargetError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext } from '../../core/rotator.ts';
import { pairOf } from '../../core/secret/alternating-users.ts';
import { noteCurrentRefused, requireAdmin, requireOtherAdmin, standsAlone } from '../families/alternating.ts';
import { using } from '../transport/login.ts';
import { type Account, readAccounts, readGrants, requireWayIn, setPassword, settableOf } from './account.ts';
import { openServer } from './connection.ts';
import { follow, type Workplace } from './follower.ts';
import { changes } from './grants.ts';
import type { MysqlSecret } from './schema.ts';
import { noteOpened, noteReplicas, ownAmong, proofIn, requireHarmless } from './single.ts';
import { accountName } from './sql.ts';
import { inTurn } from './turn.ts';

type Context = ApplyContext<MysqlSecret>;

/**
 * Gives the other user of the pair its new password, as the admin. The user without the suffix is the one that people grant to.
 * The clone is brought to what that one has before it gets its password, at each rotation to the clone. The password comes last,
 * so that a login with it proves that everything is done.
 */
export async function applyAlternating(next: MysqlSecret, context: Context): Promise<void> {
  const admin = await requireAdmin(next, context);
  const { base } = pairOf(next.username);
  await using(await openServer(admin, context), async (session) => {
    const server = await session.prepare();
    await inTurn(session, base, context, () => change({ session, server, next, context }));
  });
}

async function change(place: Workplace): Promise<void> {
  const { session, server, next, context } = place;
  const { base, clone } = pairOf(next.username);
  const isClone = next.username === clone;
  const allMine = await readAccounts(session, server, next.username);
  const allOthers = await readAccounts(session, server, isClone ? base : clone);
  requireOtherAdmin(session.place.username, next.username);
  const alone = allOthers.length === 0;
  if (alone && !standsAlone(next.username, allMine.length > 0)) {
    throw new TargetError(
      'TargetRefused',
      `${session.place.where}: there is no user "${isClone ? base : clone}", which "${next.username}" would take turns with`,
    );
  }
  const isOfPair = ({ username }: MysqlSecret) => username === base || username === clone;
  const own = (accounts: readonly Account[]) => ownAmong(session, accounts, next, context, isOfPair);
  const others = await own(settableOf(session, server, allOthers, context));
  // At a host of the other one it must have a password; elsewhere it may be what it is.
  const beside = allMine.filter(({ host }) => others.some((other) => other.host === host));
  for (const account of beside) settableOf(session, server, [account], context);
  const mine = beside.length === 0 && !alone ? [] : await own(settableOf(session, server, allMine, context));
  requireWayIn(session, [...mine, ...others], next);
  const { proven, currentAccepted } = await proofIn([...mine, ...others], next, context, isOfPair);
  if (!proven) await requireHarmless(session, [...mine, ...others], next, context);
  if (!currentAccepted) noteCurrentRefused(context);
  // The user without the suffix follows only once, when it is made: somebody began with the clone.
  const follows = isClone || mine.length === 0;
  const accounts = follows ? await follow(place, others, allOthers) : mine;
  if (!follows) await noteSurplus(place, mine, others);
  await noteReplicas(session, next.username, context);
  await setPassword(session, server, accounts, next.password);
  noteOpened(accounts, context);
}

/** Raises a finding on what only the clone may do. The application loses it with this rotation, and the clone with the next. */
async function noteSurplus(
  { session, context }: Workplace,
  anchors: readonly Account[],
  clones: readonly Account[],
): Promise<void> {
  const surplus: string[] = [];
  for (const clone of clones) {
    const anchor = anchors.find(({ host }) => host === clone.host);
    if (anchor === undefined) {
      surplus.push(`log in as ${accountName(clone)}`);
      continue;
    }
    const name = accountName(anchor);
    const grants = changes(await readGrants(session, clone), await readGrants(session, anchor), name, '');
    surplus.push(...grants.filter(({ sql }) => sql.startsWith('GRANT ')).map(({ sql }) => sql));
  }
  if (surplus.length > 0) {
    context.finding({
      code: 'GrantsDiffer',
      message: `the clone may do what "${anchors[0]?.user}" may not; if that is meant: ${surplus.join('; ')}`,
    });
  }
}
