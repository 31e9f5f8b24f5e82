import type { ErrorCodeOf } from '../errors/codes.ts';
import { RekeyError } from '../errors/rekey-error.ts';
import type { SecretDefinition } from '../secret/definition.ts';
import { near } from '../suggest.ts';
import { secretIndex } from './graph.ts';
import type { Selected } from './plan.ts';
import { type Selection, selectionText } from './selection.ts';

/** The refusal of a selection that is empty, or names a secret that Rekey does not know. */
export class SelectionError extends RekeyError<ErrorCodeOf<'revocation'>> {}

/** The secrets that a selection finds, and the names in it that are of none. */
export interface SelectedSecrets {
  readonly selected: readonly Selected[];
  readonly unknown: readonly string[];
}

/** The answers that a selection takes from elsewhere than the definitions. */
export interface SelectionSources {
  /** Name of the environment that the definitions are of. */
  readonly environment: string;
  /** Lists the ARNs of the secrets with a tag. */
  tagged(key: string, value: string): Promise<readonly string[]>;
  /** Lists those of the secrets whose value an IAM role or user may read. */
  readableBy(principal: string, secrets: readonly SecretDefinition[]): Promise<readonly string[]>;
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
  const found = await find(select, definitions, sources, unknown);
  if (found.length === 0) {
    throw new SelectionError(
      'SelectionEmpty',
      `there are no secrets to revoke: ${selectionText(select)}: Rekey looks after ${definitions.length} in ${sources.environment}, and none is among them${hint(select, definitions)}; see rekey secret list`,
    );
  }
  return { selected: found, unknown };
}

async function find(
  select: Selection,
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
  const { because, arns } =
    'tag' in select
      ? {
          because: `tagged ${select.tag.key}=${select.tag.value}`,
          arns: await sources.tagged(select.tag.key, select.tag.value),
        }
      : {
          because: `${select.principal} may read it`,
          arns: await sources.readableBy(select.principal, definitions),
        };
  return all(
    because,
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
