import type { ContainmentInput } from '../../core/deployed/revocation-state.ts';
import { RekeyError, SecretError } from '../../core/errors/rekey-error.ts';
import { inTurns } from '../../core/pace/in-turns.ts';
import { lookUntil, type WithWait } from '../../core/pace/patience.ts';
import type { SecretStore } from '../../core/ports.ts';
import type { Revoker } from '../../core/rotator.ts';
import { type SecretDescription, type SecretVersion, stages, versionWith } from '../../core/secret/secret.ts';
import { unlessUnreadable } from '../rotation/refusals.ts';
import { credentialIn, parseUnlessFirst } from '../rotation/secret-value.ts';

/** One leaked credential; several versions may hold the same one. */
export interface Leak<S> {
  readonly credential: S;
  readonly identity: string;
  readonly versionIds: string[];
  /** False when none of its versions has a staging label any more. */
  readonly labelled: boolean;
}

export interface Leaks<S> {
  /** Description with AWSCURRENT on `currentVersionId`, wherever the labels had it. */
  readonly description: SecretDescription;
  /**
   * The credential in use. Where the current version holds none, a leaked one counts as in use. Undefined where none of them
   * holds one.
   */
  readonly current: S | undefined;
  /** Reason why the current version holds no credential. Missing where it holds one, or a first value that no target was told. */
  readonly currentFault?: SecretError;
  readonly currentVersionId: string;
  /** The leaked version that the labels still show as the current one, though the revocation has replaced it. */
  readonly stillCurrent?: string;
  readonly found: readonly Leak<S>[];
  /** Versions that cannot be tried. Secrets Manager no longer keeps them, or they hold no credential. */
  readonly unavailable: readonly string[];
  /** The versions that count as leaked, whether they can be tried or not. */
  readonly leaked: readonly string[];
  /** The leak that the current version holds as well, though under another id. */
  readonly sameAsCurrent?: Leak<S>;
}

interface LeakSources<S extends object> extends WithWait {
  readonly rotator: Pick<Revoker<S>, 'schema' | 'identity'>;
  readonly store: SecretStore;
}

/**
 * Reads the leaked versions and the current one. Answers of Secrets Manager may be old, so after the revocation's own
 * rotation the version that it made is the current one, whatever a label says: its id is known and its value never
 * changes. Only a version that is younger still takes its place.
 * @throws RekeyError `LabelsOutdated` when that version cannot be read yet
 */
export async function readLeaks<S extends object>(
  given: ContainmentInput,
  sources: LeakSources<S>,
): Promise<Leaks<S>> {
  const { rotator } = sources;
  const input = await withVersions(given, sources);
  const { seen, current } = await readCurrent(input, sources);
  const currentVersionId = current.versionId;
  const description = withCurrent(seen, currentVersionId);
  const shown = versionWith(seen, stages.current) ?? '';
  // Versions that were listed just now need no second look.
  const wanted = input === given ? await leakedVersions(input, currentVersionId, sources) : input.versions;
  const versions = await inTurns(wanted, async (versionId) => ({
    versionId,
    value: (await readIfPermitted(versionId, input, sources))?.value,
  }));
  const unavailable: string[] = [];
  const byValue = new Map<string | undefined, Leak<S>>();
  // The one in use is the most dangerous: it comes first, then those that still have a label.
  const rank = (versionId: string) =>
    versionId === currentVersionId ? 0 : description.versions[versionId] === undefined ? 2 : 1;
  for (const { versionId, value } of versions.toSorted((a, b) => rank(a.versionId) - rank(b.versionId))) {
    const known = byValue.get(value);
    const credential = value === undefined ? undefined : credentialIn(rotator.schema, value);
    if (known !== undefined) {
      known.versionIds.push(versionId);
    } else if (credential === undefined) {
      unavailable.push(versionId);
    } else {
      byValue.set(value, {
        credential,
        identity: rotator.identity(credential),
        versionIds: [versionId],
        labelled: description.versions[versionId] !== undefined,
      });
    }
  }
  const found = [...byValue.values()];
  const sameAsCurrent = byValue.get(current.value);
  return {
    ...(!(sameAsCurrent === undefined || sameAsCurrent.versionIds.includes(currentVersionId)) && {
      sameAsCurrent,
    }),
    ...(isReplaced(shown, input) && { stillCurrent: shown }),
    description,
    ...inUse(current, found, description.name, rotator),
    currentVersionId,
    leaked: input.versions,
    found,
    unavailable,
  };
}

/** Gives the time up to which versions count as leaked. It is the intake's, since a sender's may be wrong by hours. */
function leakedUntil({ takenAt, requestedAt }: ContainmentInput): number | undefined {
  const until = takenAt ?? requestedAt;
  return until === undefined ? undefined : Date.parse(until);
}

/** Gives the time after which versions did not leak. A revocation that is tried again was taken before it was asked for. */
function triedAgainOf({ takenAt, requestedAt }: ContainmentInput): number | undefined {
  const [taken, requested] = [Date.parse(takenAt ?? ''), Date.parse(requestedAt ?? '')];
  return taken < requested ? taken : undefined;
}

/**
 * Adds the versions that leaked where a plan names none: all that were there when the revocation was asked for. Each secret of
 * a plan lists its own here, since one function that listed those of many would be throttled.
 */
async function withVersions<S extends object>(
  input: ContainmentInput,
  { store }: LeakSources<S>,
): Promise<ContainmentInput> {
  const { named, versions, secretArn, newVersionId } = input;
  if (named || versions.length > 0) return input;
  const [{ versions: labels }, kept] = await Promise.all([
    store.describe(secretArn),
    store.listVersions(secretArn),
  ]);
  const created = new Map(kept.map((version) => [version.versionId, version.created?.getTime() ?? 0]));
  // By the clock of Secrets Manager alone: all that is older than what the revocation made leaked.
  const made = newVersionId === undefined ? undefined : created.get(newVersionId);
  const until = Math.min(
    made === undefined || made === 0 ? Number.POSITIVE_INFINITY : made,
    triedAgainOf(input) ?? Number.POSITIVE_INFINITY,
  );
  // Either answer may be old, so what one of both shows counts.
  const ids = [...new Set([...created.keys(), ...Object.keys(labels)])].filter(
    (versionId) => versionId !== newVersionId && (created.get(versionId) ?? 0) <= until,
  );
  return { ...input, versions: ids };
}

/**
 * Finds the credential in use. The current version may hold none: no target was told its first value, or somebody wrote something
 * else there. The leaked credentials are cut off all the same.
 */
function inUse<S extends object>(
  { value, versionId }: Shown,
  found: readonly Leak<S>[],
  name: string,
  { schema }: Pick<Revoker<S>, 'schema'>,
): Pick<Leaks<S>, 'current' | 'currentFault'> {
  const where = `${name} version ${versionId}`;
  const current = found[0]?.credential;
  try {
    if (value === undefined) throw noText(name);
    return { current: parseUnlessFirst(schema, value, where) ?? current };
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    return { current, currentFault: error };
  }
}

const noText = (name: string) =>
  new SecretError(
    'SecretValueMissing',
    `${name} has no text value labelled ${stages.current}; store the credential that works now, as JSON`,
  );

/** A version as it was read. One that holds no text has no value here. */
type Shown = Pick<SecretVersion, 'versionId' | 'created'> & Partial<Pick<SecretVersion, 'value'>>;

interface Current {
  /** The secret as its labels were seen. */
  readonly seen: SecretDescription;
  readonly current: Shown;
}

async function readCurrent<S extends object>(
  input: ContainmentInput,
  sources: LeakSources<S>,
): Promise<Current> {
  const { store, wait } = sources;
  const { newVersionId, named, secretArn, versions } = input;
  // Before the rotation, the current version is mostly one that leaked, unless only some are said to have.
  const asExpected = (description: SecretDescription) => {
    const shown = versionWith(description, stages.current) ?? '';
    return newVersionId === undefined ? !named || !versions.includes(shown) : !isReplaced(shown, input);
  };
  const seen = await lookUntil(() => store.describe(secretArn), asExpected, wait);
  const shown = versionWith(seen, stages.current);
  if (newVersionId === undefined) {
    const current = shown === undefined ? undefined : await readVersion(shown, input, sources);
    return { seen, current: current ?? { versionId: shown ?? '' } };
  }
  const other = shown === undefined || shown === newVersionId || isReplaced(shown, input) ? undefined : shown;
  const [made, labelled] = await Promise.all([
    readVersion(newVersionId, input, sources),
    other && readVersion(other, input, sources),
  ]);
  if (made === undefined) {
    throw new RekeyError(
      'LabelsOutdated',
      `Secrets Manager does not show version ${newVersionId} of ${seen.name} yet, which the revocation made; nothing was done, try again`,
    );
  }
  // A rotation may have followed; an older version that still has the label was replaced by the one that was made.
  return { seen, current: labelled && isYounger(labelled, made) ? labelled : made };
}

/** Tells whether the revocation's own rotation took the place of this version. */
const isReplaced = (versionId: string, { versions, newVersionId }: ContainmentInput): boolean =>
  newVersionId !== undefined && versionId !== newVersionId && versions.includes(versionId);

/** Tells whether one version was made after another. A version without a known time is neither younger nor older. */
const isYounger = (one: SecretVersion, other: SecretVersion): boolean =>
  Number(one.created) > Number(other.created);

/**
 * Lists the versions that leaked. The list that the request was answered from may have lacked the youngest ones. So where all
 * versions leaked, those that it should have held are added once the rotation is done.
 */
async function leakedVersions<S extends object>(
  input: ContainmentInput,
  currentVersionId: string,
  { store }: LeakSources<S>,
): Promise<readonly string[]> {
  const { versions, named, newVersionId, secretArn } = input;
  const until = leakedUntil(input);
  if (newVersionId === undefined) return versions;
  const spared = [newVersionId, currentVersionId];
  const known = versions.filter((versionId) => versionId !== newVersionId);
  if (named || until === undefined) return known;
  const missed = (await store.listVersions(secretArn))
    .filter(({ created }) => created !== undefined && created.getTime() <= until)
    .map(({ versionId }) => versionId)
    .filter((versionId) => !known.includes(versionId) && !spared.includes(versionId));
  return [...known, ...missed];
}

/**
 * Reads a leaked version, and gives undefined where its key cannot be used. Such a version is as unavailable as one that is gone;
 * the others are still cut off. Where the key of a secret was changed, versions without a label stay under the one before.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html
 */
async function readIfPermitted<S extends object>(
  versionId: string,
  input: ContainmentInput,
  sources: LeakSources<S>,
): Promise<Partial<SecretVersion> | undefined> {
  return await readVersion(versionId, input, sources).catch(unlessUnreadable);
}

/** Reads a version. After the rotation a missing one is looked for again; before, an emergency does not wait for it. */
async function readVersion<S extends object>(
  versionId: string,
  { newVersionId, secretArn }: ContainmentInput,
  { store, wait }: LeakSources<S>,
): Promise<SecretVersion | undefined> {
  const read = () => store.read(secretArn, { versionId });
  return newVersionId === undefined
    ? await read()
    : await lookUntil(read, (version) => version !== undefined, wait);
}

/** Puts AWSCURRENT in a description where it is known to be. */
function withCurrent(description: SecretDescription, currentVersionId: string): SecretDescription {
  const others = Object.entries(description.versions).map(([versionId, labels]): [string, string[]] => [
    versionId,
    labels.filter((label) => label !== stages.current),
  ]);
  const labels = description.versions[currentVersionId] ?? [];
  const versions = Object.fromEntries(others.filter(([, rest]) => rest.length > 0));
  return {
    ...description,
    versions: { ...versions, [currentVersionId]: [...new Set([stages.current, ...labels])] },
  };
}
