import { TargetError } from '../../core/errors/rekey-error.ts';
import type { ApplyContext } from '../../core/rotator.ts';
import { changePassword } from '../families/single-user.ts';
import { using } from '../transport/login.ts';
import { open, tryOpen } from './connection.ts';
import { keptForm, type ServerForm } from './password.ts';
import { databaseOf, type RedshiftSecret } from './schema.ts';
import { readUsers, requireSuperuser, requireValid, setPassword } from './user.ts';

/** Gives the user of `next` its new password; see {@link changePassword}. */
export async function applySingle(
  next: RedshiftSecret,
  context: ApplyContext<RedshiftSecret>,
): Promise<void> {
  const { username } = next;
  const heard: ServerForm = {};
  const kept = () => keptForm(username, next.password, heard, context.random);
  await changePassword(next, context, {
    tryOpen: (secret) => tryOpen(secret, context, heard),
    changeOwn: (session) => session.transaction(() => setPassword(session, username, kept())),
    changeByAdmin: async (admin, proven) =>
      using(await open(admin, context, {}, databaseOf(next)), (session) =>
        session.transaction(async () => {
          await requireSuperuser(session);
          const user = (await readUsers(session, [username])).get(username);
          if (user === undefined) {
            throw new TargetError('TargetRefused', `${session.place.where}: there is no user "${username}"`);
          }
          if (!proven && (user.privileged || admin.username === username)) return false;
          requireValid(session, user);
          await setPassword(session, username, kept());
          return true;
        }),
      ),
  });
}
