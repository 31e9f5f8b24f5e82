import { TargetError } from '../../core/errors.ts';
import type { ContainContext, ContainResult } from '../rotator.ts';
import { authorityFor, currentOf } from './authority.ts';
import { Caller } from './caller.ts';
import type { Kit } from './kit.ts';
import { refused, settled, type Trial, tryCredential } from './probe.ts';
import { disable, identityOf } from './revoke.ts';
import { credentialOf, type HttpSecret } from './schema.ts';

/** See {@link Rotator.contain}: turns the credential off at the service, or revokes it, and sees that it is refused. */
export async function contain(
  leakedSecret: HttpSecret,
  context: ContainContext<HttpSecret>,
  kit: Kit,
): Promise<ContainResult> {
  const { credentials } = context;
  const leaked = credentialOf(leakedSecret, kit.recipes);
  const current = currentOf(credentials, kit.recipes);
  const { recipe } = leaked;
  const isCurrent = leaked.value === current.value;
  const caller = new Caller(leaked, context, kit);
  if (isCurrent && recipe.own !== undefined && (await credentials.admin()) === undefined) {
    return onlyRotation('there is no admin, and once it is revoked it could not make its successor');
  }
  const authority = await authorityFor(leaked, { credentials, recipes: kit.recipes, self: current });
  if (authority.secrets.includes(leaked.value)) {
    return onlyRotation('it is the one that the admin secret holds');
  }
  // The value is what leaked: where the service says whose it is, that counts and not what the secret says.
  const before = recipe.test.id === undefined ? undefined : await trial(caller, leaked);
  const id = before?.outcome === 'accepted' && before.id !== undefined ? before.id : leaked.id;
  if (!isCurrent && id === current.id) {
    const after = await refused(caller, leaked);
    if (after.outcome === 'rejected')
      return { loginsRefused: true, sessionsEnded: 0, note: 'refused already' };
  }
  const done = await disable(caller, leaked, id, authority);
  const { trial: after, holds } = await settled(caller, leaked, 'rejected');
  if (!holds) {
    if (done === 'gone' && after.outcome === 'accepted') {
      throw new TargetError(
        'TargetRefused',
        `the service has no ${identityOf({ ...leaked, id })}, yet accepts the leaked ${recipe.credential.secret}: it belongs to another; revoke it at the service`,
      );
    }
    return {
      loginsRefused: false,
      sessionsEnded: 0,
      note: `revoked, but still accepted ${recipe.settleSeconds} s later`,
    };
  }
  return { loginsRefused: true, sessionsEnded: 0, note: recipe.revocation };
}

const onlyRotation = (reason: string): ContainResult => ({
  loginsRefused: false,
  sessionsEnded: 0,
  note: `not revoked, since ${reason}; only a rotation ends it`,
});

/** What a single try says, if it says anything: nothing that fails here may keep the credential from being revoked. */
async function trial(caller: Caller, leaked: ReturnType<typeof credentialOf>): Promise<Trial | undefined> {
  return await tryCredential(caller, leaked, { attempts: 1 }).catch(() => undefined);
}
