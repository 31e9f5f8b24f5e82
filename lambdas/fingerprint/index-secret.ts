import { SecretError } from '../../core/errors/rekey-error.ts';
import { hashOf } from '../../core/fingerprint/digest.ts';
import type {
  FingerprintIndex,
  IndexedSecret,
  IndexedVersion,
  MacKey,
  Standing,
} from '../../core/fingerprint/store.ts';
import { type CredentialKeys, valuesOf } from '../../core/fingerprint/values.ts';
import { inTurns } from '../../core/pace/in-turns.ts';
import { lookUntil, type WithWait } from '../../core/pace/patience.ts';
import type { Clock, SecretStore } from '../../core/ports.ts';
import type { SecretDefinition } from '../../core/secret/definition.ts';
import { type SecretDescription, stages } from '../../core/secret/secret.ts';

export interface IndexDependencies extends WithWait {
  readonly store: Pick<SecretStore, 'describe' | 'listVersions' | 'read'>;
  readonly index: FingerprintIndex;
  readonly key: MacKey;
  /** Gives the keys of the credential in the JSON of a type's secrets. */
  readonly keysOf: (type: string) => CredentialKeys;
  readonly clock: Clock;
}

const dayMs = 86_400_000;
/** Time for which a version without a label is remembered: five years. What leaked long ago is found long after. */
export const replacedForMs = 1_826 * dayMs;
/** Time for which a secret is remembered that was deleted, or is looked after no more. */
export const goneForMs = 30 * dayMs;

/** The result of a look at one secret. */
export interface IndexReport {
  /** ARN of the secret; missing where Secrets Manager has none. */
  readonly arn?: string;
  /** Versions whose values were added. */
  readonly added: number;
  /** Versions whose labels were noted anew. */
  readonly relabelled: number;
}

/** The facts about a secret that its versions are noted by. */
interface Look {
  readonly arn: string;
  readonly labelled: SecretDescription['versions'];
  readonly seenAt: Date;
  /** True if the secret was noted as gone, so that everything is noted anew. */
  readonly back: boolean;
}

/**
 * Brings one secret into the index. It adds the values of new versions, and notes the labels of the others. Values
 * are read once per version, and live in memory until they are hashed.
 *
 * @param current - version that a rotation has just made current; old answers of Secrets Manager are waited out
 * @throws SecretError `SecretAccessDenied`, and RekeyError as AWS answers
 */
export async function indexSecret(
  definition: SecretDefinition,
  known: IndexedSecret | undefined,
  dependencies: IndexDependencies,
  current?: string,
): Promise<IndexReport> {
  const { store, index, clock, wait } = dependencies;
  const seenAt = clock.now();
  let description: SecretDescription;
  try {
    description = await lookUntil(
      () => store.describe(definition.arn),
      ({ versions }) => current === undefined || versions[current]?.includes(stages.current) === true,
      wait,
    );
  } catch (error) {
    if (error instanceof SecretError && error.code === 'SecretMissing') return { added: 0, relabelled: 0 };
    throw error;
  }
  const { arn, name, versions: labelled } = description;
  const secret = {
    arn,
    name,
    type: definition.type,
    strategy: definition.strategy,
    owner: definition.owner,
  };
  const look: Look = { arn, labelled, seenAt, back: known?.goneBy !== undefined };
  const noted = await index.versions(arn);
  const added = await addVersions(secret.type, look, noted, dependencies);
  const relabelled = await relabel(look, noted, index);
  // Last, so that a secret that the index knows was looked at as a whole.
  if (known === undefined || look.back || !isSame(known, secret)) await index.note(secret);
  return { arn, added, relabelled };
}

const isSame = (known: IndexedSecret, secret: IndexedSecret): boolean =>
  (['name', 'type', 'strategy', 'owner'] as const).every((fact) => known[fact] === secret[fact]);

/** Adds the new versions, labelled or not, as long as Secrets Manager keeps them. */
async function addVersions(
  type: string,
  { arn, labelled, seenAt }: Look,
  noted: readonly IndexedVersion[],
  { store, index, key, keysOf }: IndexDependencies,
): Promise<number> {
  const known = new Set(noted.map(({ versionId }) => versionId));
  const isNew = (versionId: string) => !known.has(versionId);
  if (noted.length > 0 && !Object.keys(labelled).some(isNew)) return 0;
  const kept = (await store.listVersions(arn)).map(({ versionId }) => versionId);
  const fresh = [...new Set([...Object.keys(labelled), ...kept])].filter(isNew);
  const added = await inTurns(fresh, async (versionId) => {
    const version = await store.read(arn, { versionId });
    if (version === undefined) return 0;
    const values = valuesOf(version.value, keysOf(type));
    const signed = await inTurns(values, async ({ value, parts }) => ({
      mac: await key.sign(hashOf(value)),
      parts,
    }));
    const { created } = version;
    const standing = standingOf(labelled[versionId] ?? [], seenAt);
    await index.add(arn, { versionId, ...standing, ...(created !== undefined && { created }) }, signed);
    return 1;
  });
  return added.reduce<number>((sum, one) => sum + one, 0);
}

/** Notes the labels of the versions that the index knows, where they are others than it has. */
async function relabel(
  { arn, labelled, seenAt, back }: Look,
  noted: readonly IndexedVersion[],
  index: FingerprintIndex,
): Promise<number> {
  const moved = noted.filter(
    ({ versionId, labels }) =>
      back || [...labels].sort().join() !== [...(labelled[versionId] ?? [])].sort().join(),
  );
  await inTurns(moved, async (version) => {
    const standing = standingOf(labelled[version.versionId] ?? [], seenAt, version.replacedBy);
    await index.relabel(arn, version, standing);
  });
  return moved.length;
}

/** Makes the standing of a version with these labels. One without a label is remembered for a long time, and not for ever. */
function standingOf(labels: readonly string[], seenAt: Date, replacedBy = seenAt): Standing {
  if (labels.length > 0) return { labels, seenAt };
  return { labels, seenAt, replacedBy, forgetAt: new Date(replacedBy.getTime() + replacedForMs) };
}
