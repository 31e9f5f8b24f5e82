import { SecretError, summarizeError, TargetError } from '../../core/errors/rekey-error.ts';
import type { ProposeContext } from '../../core/rotator.ts';
import { type Authority, authorityFor } from './authority.ts';
import { Caller, matches } from './caller.ts';
import { noteExpiry } from './expiry.ts';
import { findCrowd, findNamed, listValues } from './list.ts';
import { isListedAsMade, mark } from './ownership.ts';
import { valueAt } from './pointer.ts';
import { tryCredential } from './probe.ts';
import type { RecipeContext } from './recipe-context.ts';
import { identityOf, revoke } from './revoke.ts';
import { type Credential, credentialOf, type HttpSecret } from './schema.ts';
import { leavesOpen } from './statuses.ts';
import type { Json } from './template.ts';
import { type HttpAnswer, OutcomeUnknown } from './transport.ts';

const dayMs = 86_400_000;
/** Longest value of a credential that is stored; Secrets Manager takes 65,536 bytes for the whole secret. */
const longestPart = 16_384;

/**
 * Has the service make the next credential; see {@link Rotator.propose}. Its name says for which version it was made, and when.
 * By that name, what an earlier try of the same step has left is found and revoked first.
 */
export async function propose(
  currentSecret: HttpSecret,
  context: ProposeContext<HttpSecret>,
  recipeContext: RecipeContext,
): Promise<HttpSecret> {
  const current = credentialOf(currentSecret, recipeContext.recipes);
  const { credentials, token } = context;
  const authority = await authorityFor(current, {
    credentials,
    recipes: recipeContext.recipes,
    self: current,
  });
  noteExpiry(current, authority, context);
  const caller = new Caller(current, context, recipeContext);
  await removeLeftovers(caller, current, authority, `${mark}${token}-`, recipeContext.runLivesMs);
  await removeAbandoned(caller, current, authority, context, recipeContext);
  await requireRoom(caller, current, authority, context);
  const createdAs = `${mark}${token}-${Date.now()}`;
  const answer = await create(caller, current, authority, createdAs);
  const { secret: key, id: idKey } = current.recipe.credential;
  const made = partsOf(answer, current);
  const [id, value] = [made[idKey], made[key]];
  if (id !== undefined && value !== undefined) {
    return { ...currentSecret, ...asBefore(made, currentSecret), createdAs };
  }
  if (id !== undefined) await revoke(caller, current, id, authority);
  throw new TargetError(
    'TargetRefused',
    `${caller.where('create', createUrl(caller, current, authority))}: the answer does not hold ${id === undefined ? idKey : key} where the recipe says` +
      (id === undefined ? `; look for a credential named ${createdAs} and revoke it` : ''),
  );
}

async function create(
  caller: Caller,
  current: Credential,
  authority: Authority,
  createdAs: string,
): Promise<HttpAnswer> {
  const { create: request } = current.recipe;
  const call = {
    name: 'create',
    values: createValues(current, authority, createdAs),
    by: authority,
  } as const;
  const send = async (): Promise<HttpAnswer> => {
    const sent = await caller.send(request, call);
    if (!leavesOpen(sent.status)) return sent;
    const { message } = caller.refusal(sent, caller.url(request, call), call);
    throw new OutcomeUnknown('TargetUnreachable', message);
  };
  const answer = await send().catch((error: unknown) => {
    if (!(error instanceof OutcomeUnknown)) throw error;
    const left =
      current.recipe.list?.name === undefined
        ? `look for a credential made at this time${usesName(current) ? ` named ${createdAs}` : ''} and revoke it`
        : 'the next try looks for it and revokes it';
    throw new TargetError(error.code, `${error.message}; a credential may have been made: ${left}`);
  });
  if (matches(request.done, answer)) return answer;
  const url = caller.url(request, call);
  if (matches(request.full, answer)) {
    throw new SecretError(
      'SlotsTaken',
      `${caller.where('create', url)}: the service has room for no further credential (${answer.status}); revoke there what nobody uses`,
    );
  }
  if (!matches(request.busy, answer)) throw caller.refusal(answer, url, call);
  throw new TargetError(
    'TargetBusy',
    `${caller.answered(answer, url, call)}: something else was being changed there, and nothing was made; try again later`,
  );
}

const createUrl = (caller: Caller, current: Credential, authority: Authority): URL =>
  caller.url(current.recipe.create, { name: 'create', values: createValues(current, authority, '') });

const usesName = ({ recipe }: Credential): boolean =>
  JSON.stringify([recipe.create.json, recipe.create.form]).includes('{{rekey.name}}');

function createValues(
  current: Credential,
  authority: Authority,
  name: string,
): Map<string, Json | undefined> {
  const days = current.parameters.get('days');
  const values = new Map<string, Json | undefined>([
    ...current.parameters,
    ...authority.open,
    ['rekey.name', name],
  ]);
  if (typeof days === 'number') {
    const end = new Date(Date.now() + days * dayMs);
    values.set('rekey.expiryDate', end.toISOString().slice(0, 10));
    values.set('rekey.expiresAt', end.toISOString().replace(/\.\d+Z$/, 'Z'));
    values.set('rekey.expiresAtMillis', end.getTime());
    values.set('rekey.lifetimeSeconds', days * 86_400);
    values.set('rekey.lifetimeHours', days * 24);
  }
  return values;
}

/** Reads the parts of a credential in the answer, as text. One that is missing or absurd is left out. */
function partsOf({ body }: HttpAnswer, { recipe }: Credential): Record<string, string> {
  return Object.fromEntries(
    Object.entries(recipe.create.answer).flatMap(([key, pointer]) => {
      const value = valueAt(body, pointer);
      const text = typeof value === 'number' ? String(value) : value;
      const sound =
        typeof text === 'string' && text.trim() !== '' && text.length <= longestPart && !/\p{Cc}/u.test(text);
      return sound ? [[key, text]] : [];
    }),
  );
}

/** Keeps numbers numbers: a consumer that reads one must find one after the rotation, too. */
const asBefore = (made: Record<string, string>, before: HttpSecret): Record<string, string | number> =>
  Object.fromEntries(
    Object.entries(made).map(([key, text]) => {
      const isNumber = typeof Reflect.get(before, key) === 'number' && String(Number(text)) === text;
      return [key, isNumber ? Number(text) : text];
    }),
  );

/**
 * Removes the credentials that dead tries of the same step have left, recognised by name. One that is younger than a run can live
 * may be that of a run that is about to store it. So it is not touched, and this try fails.
 */
async function removeLeftovers(
  caller: Caller,
  current: Credential,
  authority: Authority,
  prefix: string,
  runLivesMs: number,
): Promise<void> {
  for (const { id, name } of await findNamed(caller, current, authority, prefix)) {
    if (id === current.id) continue;
    const ageMs = Date.now() - Number(name.slice(prefix.length));
    // A name of another form was not given by this code.
    if (Number.isNaN(ageMs)) continue;
    if (ageMs < runLivesMs) {
      throw new TargetError(
        'TargetTimeout',
        `an earlier try of this rotation made ${identityOf({ ...current, id })} ${Math.max(0, Math.round(ageMs / 1000))} s ago and may still store it; the next try revokes it`,
      );
    }
    await revoke(caller, current, id, authority);
  }
}

const plainId = /^[A-Za-z0-9][\w.:/=-]{0,127}$/;
const plainTime = /^[\dTZ:. +-]{4,40}$/;

/**
 * Refuses to create where a service that has no names is full. Nothing shows that a credential there was made here, so none is
 * revoked. A person is told which ones no version of the secret holds.
 * @throws SecretError `SlotsTaken`
 */
async function requireRoom(
  caller: Caller,
  current: Credential,
  authority: Authority,
  { credentials }: ProposeContext<HttpSecret>,
): Promise<void> {
  const { list } = current.recipe;
  const crowd = await findCrowd(caller, current, authority);
  if (list === undefined || crowd === undefined) return;
  const { id: idKey, secret: key } = current.recipe.credential;
  const kept = [current.secret, await credentials.previous()];
  for await (const secret of credentials.others()) kept.push(secret);
  const known = new Set(kept.flatMap((secret) => (secret === undefined ? [] : [String(secret[idKey])])));
  const values = new Set([...authority.secrets, ...kept.map((secret) => String(secret?.[key]))]);
  const unknown = crowd
    .filter(({ id }) => !known.has(id))
    .map(({ id, created }) => {
      const shown = plainId.test(id) && !values.has(id) ? id : 'an id that is not shown';
      return `${current.name} ${shown}${created !== undefined && plainTime.test(created) ? ` (made ${created})` : ''}`;
    });
  const where = caller.where(
    'list',
    caller.url(list, { name: 'list', values: listValues(current, authority) }),
  );
  throw new SecretError(
    'SlotsTaken',
    `${where}: the service has room for ${list.room} credentials and holds ${crowd.length}; ${
      unknown.length === 0
        ? 'all of them are of kept versions of this secret'
        : `no kept version of this secret holds ${unknown.join(', ')}: revoke there what a lost answer has left and what nobody uses`
    }`,
  );
}

/** Revokes the stored credentials of rotations that were cancelled. They never became current, but they work. */
async function removeAbandoned(
  caller: Caller,
  current: Credential,
  authority: Authority,
  context: ProposeContext<HttpSecret>,
  { recipes }: RecipeContext,
): Promise<void> {
  for await (const secret of context.credentials.others()) {
    if (secret.recipe !== current.name || secret.createdAs?.startsWith(mark) !== true) continue;
    const abandoned = credentialOf(secret, recipes);
    if (abandoned.id === current.id || authority.secrets.includes(abandoned.value)) continue;
    try {
      // In the place that the secret names now: nothing else is this secret's to revoke.
      if (await isAbandoned(caller, abandoned, current, authority)) {
        await revoke(caller, current, abandoned.id, authority);
      }
    } catch (error) {
      context.finding({
        code: 'AbandonedCredentialRemains',
        message: `${identityOf(abandoned)} is of a rotation that was given up, or of long ago, and could not be revoked: ${summarizeError(error).message}`,
      });
    }
  }
}

/** Tells whether a version that never became current holds a credential that works, or did, and was made for it. */
async function isAbandoned(
  caller: Caller,
  abandoned: Credential,
  current: Credential,
  authority: Authority,
): Promise<boolean> {
  if (current.recipe.list?.name !== undefined) return isListedAsMade(caller, abandoned, current, authority);
  return (await tryCredential(caller, abandoned, { attempts: 1 })).outcome === 'accepted';
}
