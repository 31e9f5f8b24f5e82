import { TargetError } from '../../core/errors/rekey-error.ts';
import type { Authority } from './authority.ts';
import { type Caller, type CallOptions, matches } from './caller.ts';
import { valueAt } from './pointer.ts';
import type { Credential } from './schema.ts';
import type { Values } from './template.ts';
import type { HttpAnswer } from './transport.ts';

/** A credential as the service lists it. */
interface Listed {
  readonly id: string;
  readonly name?: string;
  /** Time at which it was made, in the service's own form. */
  readonly created?: string;
}

/** Most pages that are read. */
const mostPages = 20;

/**
 * Finds the credentials of the service whose name begins with `prefix`. None where the recipe does not know them by name.
 * @throws TargetError when the list cannot be read to its end
 */
export async function findNamed(
  caller: Caller,
  current: Credential,
  authority: Authority,
  prefix: string,
): Promise<readonly (Listed & { readonly name: string })[]> {
  if (current.recipe.list?.name === undefined) return [];
  const all = await listAll(caller, current, authority, prefix);
  return all.flatMap(({ name, ...item }) => (name?.startsWith(prefix) ? [{ ...item, name }] : []));
}

/**
 * Lists the credentials of a service that has no names for them, once all its places are taken. Undefined while there is room.
 * @throws TargetError when the list cannot be read to its end
 */
export async function findCrowd(
  caller: Caller,
  current: Credential,
  authority: Authority,
): Promise<readonly Listed[] | undefined> {
  const room = current.recipe.list?.room;
  if (room === undefined) return undefined;
  const all = await listAll(caller, current, authority, '');
  return all.length < room ? undefined : all;
}

/** Gives the values that the request of the list is filled with. */
export const listValues = (current: Credential, authority: Authority, prefix = ''): Values =>
  new Map([...current.parameters, ...authority.open, ['rekey.name', prefix]]);

async function listAll(
  caller: Caller,
  current: Credential,
  authority: Authority,
  prefix: string,
): Promise<readonly Listed[]> {
  const { list } = current.recipe;
  if (list === undefined) return [];
  const call: CallOptions = {
    name: 'list',
    by: authority,
    values: listValues(current, authority, prefix),
  };
  const found: Listed[] = [];
  let url = caller.url(list, call);
  const { host } = url;
  for (let page = 0; page < mostPages; page += 1) {
    const answer = await caller.send(list, { ...call, url });
    if (matches(list.empty, answer)) return found;
    if (answer.status !== 200) throw caller.refusal(answer, url, call);
    const isEmpty = list.omitsEmpty && typeof answer.body === 'object' && answer.body !== null;
    const items = valueAt(answer.body, list.items) ?? (isEmpty ? [] : undefined);
    if (!Array.isArray(items)) {
      throw new TargetError(
        'TargetRefused',
        `${caller.where('list', url)}: the answer holds no list where the recipe says`,
      );
    }
    for (const item of items) {
      const id = valueAt(item, list.id);
      if (typeof id !== 'string' && typeof id !== 'number') continue;
      const [name, created] = [list.name, list.created].map((at) => at && valueAt(item, at));
      found.push({
        id: String(id),
        ...(typeof name === 'string' && { name }),
        ...(typeof created === 'string' && { created }),
      });
    }
    const next = nextPage(list.next, { answer, url, page, count: items.length });
    if (next === undefined) return found;
    if (next.protocol !== 'https:' || next.host !== host) {
      throw new TargetError(
        'TargetRefused',
        `${caller.where('list', url)}: the next page is said to be at ${next.host}, which is not called`,
      );
    }
    url = next;
  }
  throw new TargetError(
    'TargetRefused',
    `${caller.where('list', url)}: there are more than ${mostPages} pages; revoke at the service what nobody uses`,
  );
}

type Next = NonNullable<Credential['recipe']['list']>['next'];

function nextPage(
  next: Next,
  {
    answer,
    url,
    page,
    count,
  }: { readonly answer: HttpAnswer; readonly url: URL; readonly page: number; readonly count: number },
): URL | undefined {
  switch (next?.by) {
    case undefined:
      return undefined;
    case 'link': {
      const { link } = answer.headers;
      const target = /<([^<>]+)>\s*;[^,]*\brel="?next"?/.exec(
        Array.isArray(link) ? link.join(',') : (link ?? ''),
      )?.[1];
      return target === undefined ? undefined : (URL.parse(target, url.href) ?? undefined);
    }
    case 'url': {
      const target = valueAt(answer.body, next.at);
      return typeof target === 'string' && target !== ''
        ? (URL.parse(target, url.href) ?? undefined)
        : undefined;
    }
    case 'cursor': {
      const cursor = valueAt(answer.body, next.at);
      if (valueAt(answer.body, next.more) !== true || typeof cursor !== 'string') return undefined;
      const following = new URL(url);
      following.searchParams.set(next.parameter, cursor);
      return following;
    }
    case 'page': {
      if (count < next.size) return undefined;
      const following = new URL(url);
      following.searchParams.set(next.parameter, String(next.first + page + 1));
      return following;
    }
  }
}
