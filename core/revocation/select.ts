import type { ErrorCodeOf } from '../errors/codes.ts';
import { RekeyError } from '../errors/rekey-error.ts';
import type { SecretDefinition } from '../secret/definition.ts';
import { near } from '../suggest.ts';
import type { ReadEvidence } from '../trail/ports.ts';
import { secretIndex } from './graph.ts';
import type { PlanReads, Selected } from './plan.ts';
import { type Selection, selectionText } from './selection.ts';

/** The refusal of a selection that is empty, or names a secret that Rekey does not know. */
export class SelectionError extends RekeyError<ErrorCodeOf<'revocation'>> {}

/** The secrets that a selection finds, and the names in it that are of none. */
export interface SelectedSecrets {
  readonly selected: readonly Selected[];
  readonly unknown: readonly string[];
  /** Evidence on who really read; missing where the selection names no principal. */
  readonly reads?: PlanReads;
}

/** The answers that a selection takes from elsewhere than the definitions. */
export interface SelectionSources {
  /** Name of the environment that the definitions are of. */
  readonly environment: string;
  /** Lists the ARNs of the secrets with a tag. */
  tagged(key: string, value: string): Promise<readonly string[]>;
  /** Lists those of the secrets whose value an IAM role or user may read. */
  readableBy(principal: string, secrets: readonly SecretDefinition[]): Promise<readonly string[]>;
  /**
   * Tells which secrets a role or user really read.
   * @returns `off` where the environment has no trail, `unreadable` where its memory does not answer
   */
  readBy(principal: string): Promise<ReadEvidence | 'off' | 'unreadable'>;
}

/**
 * Finds the secrets that a selection is about.
 * @throws SelectionError `SecretUnknown` where it names a secret that Rekey does not know
 * @throws SelectionError `SelectionEmpty` where it finds none
 * @throws SelectionError `EnvironmentMismatch` where it names another environment
 */
export async function selectSecrets(
  select: Selection,
  definitions: readonly SecretDefinition[],
  sources: SelectionSources,
): Promise<SelectedSecrets> {
  const unknown: string[] = [];
  const { selected: found, reads } =
    'principal' in select
      ? await findByPrincipal(select.principal, definitions, sources)
      : { selected: await find(select, definitions, sources, unknown), reads: undefined };
  if (found.length === 0) {
    throw new SelectionError(
      'SelectionEmpty',
      `there are no secrets to revoke: ${selectionText(select)}: Rekey looks after ${definitions.length} in ${sources.environment}, and none is among them${hint(select, definitions)}; see rekey secret list`,
    );
  }
  return { selected: found, unknown, ...(reads !== undefined && { reads }) };
}

/**
 * Finds what a principal may read, and what it really read. Whoever read a secret may have kept its value, also where its
 * policies have changed since, or where the secret's own policy let it.
 */
async function findByPrincipal(
  principal: string,
  definitions: readonly SecretDefinition[],
  sources: SelectionSources,
): Promise<{ readonly selected: readonly Selected[]; readonly reads: PlanReads }> {
  const index = secretIndex(definitions);
  const [mayRead, evidence] = [
    await sources.readableBy(principal, definitions),
    await sources.readBy(principal),
  ];
  const readAt = new Map<string, string>();
  for (const { secret, time } of typeof evidence === 'string' ? [] : evidence.reads) {
    const name = index(secret)?.name;
    // One secret may have been read by its name and by its ARN.
    if (name !== undefined && (readAt.get(name) ?? '') < time) readAt.set(name, time);
  }
  const able = new Set(mayRead.flatMap((arn) => index(arn)?.name ?? []));
  const selected = [...new Set([...able, ...readAt.keys()])].map((name) => {
    const at = readAt.get(name);
    const because = able.has(name) ? `${principal} may read it` : `${principal} has read it`;
    return { name, because, ...(at !== undefined && { readAt: at }) };
  });
  if (typeof evidence === 'string') return { selected, reads: { trail: evidence } };
  const { since, until } = evidence;
  return {
    selected,
    reads: { trail: 'read', ...(since !== undefined && { since }), ...(until !== undefined && { until }) },
  };
}

async function find(
  select: Exclude<Selection, { readonly principal: string }>,
  definitions: readonly SecretDefinition[],
  sources: SelectionSources,
  unknown: string[],
): Promise<readonly Selected[]> {
  const index = secretIndex(definitions);
  const known = (secret: string): SecretDefinition => {
    const definition = index(secret);
    if (definition !== undefined) return definition;
    const names = definitions.map(({ name }) => name);
    const meant = near(secret, names, 1)[0];
    throw new SelectionError(
      'SecretUnknown',
      `Rekey knows no secret ${JSON.stringify(secret)} in ${sources.environment}${meant === undefined ? '' : `; did you mean ${meant}?`}; see rekey secret list`,
    );
  };
  const all = (because: string, of: readonly SecretDefinition[]): Selected[] =>
    of.map(({ name }) => ({ name, because }));
  if ('secret' in select) return all('named by the request', [known(select.secret)]);
  if ('secrets' in select) {
    const [only] = select.secrets;
    if (select.secrets.length === 1 && only !== undefined) known(only.secret);
    return select.secrets.flatMap(({ secret, versions }) => {
      const definition = index(secret);
      // One wrong name keeps nothing from being done for the others; it is left to people.
      if (definition === undefined) {
        unknown.push(secret);
        return [];
      }
      return [
        {
          name: definition.name,
          because: 'named by the request',
          ...(versions !== undefined && { versions }),
        },
      ];
    });
  }
  if ('owner' in select) {
    return all(
      `owned by ${select.owner}`,
      definitions.filter(({ owner }) => owner === select.owner),
    );
  }
  if ('consumer' in select) {
    return all(
      `read by ${select.consumer}`,
      definitions.filter(({ consumers }) => consumers.includes(select.consumer)),
    );
  }
  if ('namePrefix' in select) {
    return all(
      `its name begins with ${select.namePrefix}`,
      definitions.filter(({ name }) => name.startsWith(select.namePrefix)),
    );
  }
  if ('environment' in select) {
    if (select.environment !== sources.environment) {
      throw new SelectionError(
        'EnvironmentMismatch',
        `the selection is of the environment ${JSON.stringify(select.environment)}, this is ${sources.environment}; send it to that environment's bus`,
      );
    }
    return all(`everything in ${select.environment}`, definitions);
  }
  const arns = await sources.tagged(select.tag.key, select.tag.value);
  return all(
    `tagged ${select.tag.key}=${select.tag.value}`,
    [...new Set(arns)].flatMap((arn) => index(arn) ?? []),
  );
}

/** Names what was likely meant, where a word of the selection is close to one that is known. */
function hint(select: Selection, definitions: readonly SecretDefinition[]): string {
  const [word, words] =
    'owner' in select
      ? [select.owner, definitions.map(({ owner }) => owner)]
      : 'consumer' in select
        ? [select.consumer, definitions.flatMap(({ consumers }) => consumers)]
        : ['', []];
  const meant = word === '' ? undefined : near(word, [...new Set(words)], 1)[0];
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}
