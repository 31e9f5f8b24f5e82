import { TargetError } from '../../core/errors/rekey-error.ts';
import type { ContainContext, ContainResult } from '../../core/rotator.ts';
import { generatePassword, passwordPolicy } from '../../core/secret/password.ts';
import { toAssign } from '../families/assigned.ts';
import { narrow } from '../families/aws-api/passwords.ts';
import { isSafeToSend, requireSameDatabase } from './apply.ts';
import { rulesOf } from './limits.ts';
import { driverOf, endSessions, sessionsGoOn, tryLogin } from './login.ts';
import { reset, resetOver, type Tools } from './reset.ts';
import { locate } from './resource.ts';
import type { MasterSecret } from './schema.ts';

type Context = ContainContext<MasterSecret>;

/**
 * Makes the database refuse a leaked master password; see {@link Rotator.contain}. The database has one master password, so:
 *
 * - An older password, where the current one logs in: it is refused already, and the current one ends its sessions.
 * - A password that the server refuses is dead. Whoever is still in is ended after the next rotation, whose password works.
 * - Any other is replaced through the API by a random one that nobody keeps: the next rotation needs no login. With that
 *   password, before it is forgotten, all other sessions of the master user are ended; not where it would be sent without TLS to a
 *   place that the deployment does not name.
 */
export async function contain(leaked: MasterSecret, context: Context, tools: Tools): Promise<ContainResult> {
  const deadline = Date.now() + tools.pace.budgetMs;
  const { current } = context.credentials;
  const { username } = leaked;
  if (username === current.username && leaked.password !== current.password) {
    if ((await tryLogin(current, context)) === 'accepted') {
      return await endSessions(leaked, current, context, context.rotatedAt);
    }
    if (driverOf(leaked) === undefined) {
      const note = `a database has one master password, which the current version replaced; ${sessionsGoOn(leaked)}`;
      return { loginsRefused: true, sessionsEnded: 0, note };
    }
  }
  const refused: ContainResult = {
    loginsRefused: true,
    sessionsEnded: 0,
    note: `the server refuses "${username}" already; sessions that are open can be ended when a rotation has set a password that works`,
  };
  const login = await tryLogin(leaked, context);
  if (login === 'refused') return refused;
  const found = await locate(leaked, tools.api, context);
  await requireSameDatabase(found, leaked, context);
  const database = await resetOver(found, deadline, tools, context);
  if (found.changing && (await tryLogin(leaked, context)) === 'refused') return refused;

  const password = generatePassword(narrow(passwordPolicy({}), rulesOf(leaked)), context.random);
  const interim = { ...leaked, password };
  const safe = await isSafeToSend(leaked, context);
  await reset(database, interim, { deadline, blind: true, unsent: !safe }, tools, context);
  if (!safe) {
    const note = `the password was replaced, but sessions that are open go on: to end them takes a login, and the secret asks for a connection without TLS; ${toAssign(leaked)}`;
    return { loginsRefused: true, sessionsEnded: 0, note };
  }
  try {
    const { sessionsEnded, note } = await endSessions(leaked, interim, context, undefined);
    const canEnd = driverOf(leaked) === 'postgresql' || driverOf(leaked) === 'mysql';
    return { loginsRefused: true, sessionsEnded, ...(!canEnd && note !== undefined && { note }) };
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    // The rotation that follows ends them; failing here would only set one random password after the other.
    const note = `the password was replaced, but sessions that are open go on until the rotation: ${error.message}`;
    return { loginsRefused: true, sessionsEnded: 0, note };
  }
}
