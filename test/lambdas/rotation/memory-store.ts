import { SecretError } from '../../../core/errors/rekey-error.ts';
import type { SecretStore } from '../../../core/ports.ts';
import {
  type SecretDescription,
  type SecretReplica,
  type SecretVersion,
  stages,
} from '../../../core/secret/secret.ts';

interface StoredVersion {
  value: string | undefined;
  labels: Set<string>;
  created: Date;
}

interface StoredSecret {
  name: string;
  rotationEnabled: boolean;
  lastRotated?: Date;
  replicas?: readonly SecretReplica[];
  tags: Record<string, string>;
  versions: Map<string, StoredVersion>;
}

/**
 * Secrets Manager in memory, with its documented rules for versions and labels: a version's value never changes, a
 * label stands on one version, AWSPREVIOUS follows AWSCURRENT, a version without value cannot be read.
 */
export class MemoryStore implements SecretStore {
  readonly #secrets: Map<string, StoredSecret>;
  #tick = Date.parse('2026-01-01T00:00:00Z');

  constructor(secrets = new Map<string, StoredSecret>()) {
    this.#secrets = secrets;
  }

  /** A copy as of now, which later calls on this one do not change. */
  snapshot(): MemoryStore {
    const copy = [...this.#secrets].map(([arn, secret]): [string, StoredSecret] => [
      arn,
      {
        ...secret,
        versions: new Map(
          [...secret.versions].map(([id, version]) => [id, { ...version, labels: new Set(version.labels) }]),
        ),
      },
    ]);
    return new MemoryStore(new Map(copy));
  }

  /** A secret whose AWSCURRENT version `v1` holds `value`. */
  create(
    arn: string,
    value: string | undefined,
    options: { rotationEnabled?: boolean; tags?: Record<string, string> } = {},
  ): void {
    this.#secrets.set(arn, {
      name: arn.split(':').at(-1) ?? arn,
      rotationEnabled: options.rotationEnabled ?? true,
      tags: options.tags ?? {},
      versions: new Map([['v1', { value, labels: new Set([stages.current]), created: this.#now() }]]),
    });
  }

  /** What RotateSecret does before it calls the function: a version without value, labelled AWSPENDING. */
  begin(arn: string, token: string): void {
    const { versions } = this.#secret(arn);
    for (const version of versions.values()) {
      version.labels.delete(stages.pending);
    }
    if (!versions.has(token)) {
      versions.set(token, { value: undefined, labels: new Set([stages.pending]), created: this.#now() });
    }
  }

  /** What CancelRotateSecret and a person with UpdateSecretVersionStage can do: the version stays, without its label. */
  async removePending(arn: string, versionId?: string): Promise<void> {
    for (const [id, { labels }] of this.#secret(arn).versions) {
      if (versionId === undefined || id === versionId) labels.delete(stages.pending);
    }
  }

  /**
   * What a person does in the console: PutSecretValue of a value that is current at once. It takes AWSPENDING off the
   * version that was current, and leaves it on any other.
   */
  put(arn: string, versionId: string, value: string): void {
    const { versions } = this.#secret(arn);
    const holder = this.peek(arn, stages.current)?.versionId ?? '';
    versions.get(holder)?.labels.delete(stages.pending);
    versions.set(versionId, { value, labels: new Set(), created: this.#now() });
    this.label(arn, stages.current, versionId);
  }

  /** UpdateSecretVersionStage by a person: the label moves, and AWSPREVIOUS follows AWSCURRENT. */
  label(arn: string, label: string, to: string): void {
    const { versions } = this.#secret(arn);
    const holder = this.peek(arn, label)?.versionId;
    if (holder === to) return;
    for (const { labels } of versions.values()) {
      labels.delete(label);
      if (label === stages.current) labels.delete(stages.previous);
    }
    versions.get(to)?.labels.add(label);
    if (label === stages.current) versions.get(holder ?? '')?.labels.add(stages.previous);
  }

  /** Secrets Manager's own note of when a rotation was done. */
  noteRotated(arn: string, at = this.#now()): void {
    this.#secret(arn).lastRotated = at;
  }

  setRotationEnabled(arn: string, enabled: boolean): void {
    this.#secret(arn).rotationEnabled = enabled;
  }

  /** The version that holds `label`, seen from outside, without counting as a call. */
  peek(arn: string, label: string): { versionId: string; value: string | undefined } | undefined {
    const found = [...this.#secret(arn).versions].find(([, version]) => version.labels.has(label));
    return found && { versionId: found[0], value: found[1].value };
  }

  /** The versions that have a value, oldest first. */
  ids(arn: string): string[] {
    return [...this.#secret(arn).versions].flatMap(([id, { value }]) => (value === undefined ? [] : [id]));
  }

  /** Has Secrets Manager tell of copies in other regions. */
  replicate(arn: string, replicas: readonly SecretReplica[]): void {
    this.#secret(arn).replicas = replicas;
  }

  /** Every value that was ever stored and is still kept. */
  values(arn: string): string[] {
    return [...this.#secret(arn).versions.values()].flatMap(({ value }) =>
      value === undefined ? [] : [value],
    );
  }

  async describe(secretId: string): Promise<SecretDescription> {
    const secret = this.#secret(secretId);
    const labelled = [...secret.versions].filter(([, version]) => version.labels.size > 0);
    return {
      arn: secretId,
      name: secret.name,
      rotationEnabled: secret.rotationEnabled,
      versions: Object.fromEntries(labelled.map(([id, version]) => [id, [...version.labels]])),
      tags: secret.tags,
      ...(secret.lastRotated !== undefined && { lastRotated: secret.lastRotated }),
      ...(secret.replicas !== undefined && { replicas: secret.replicas }),
    };
  }

  async read(
    secretId: string,
    which: { versionId: string } | { stage: string },
  ): Promise<SecretVersion | undefined> {
    const found = [...(this.#secrets.get(secretId)?.versions ?? [])].find(([id, version]) =>
      'versionId' in which ? id === which.versionId : version.labels.has(which.stage),
    );
    if (found?.[1].value === undefined) {
      return undefined;
    }
    const [versionId, { value, labels, created }] = found;
    return { versionId, value, stages: [...labels], created };
  }

  async putPending(secretId: string, versionId: string, value: string): Promise<'stored' | 'kept'> {
    const { versions } = this.#secret(secretId);
    const existing = versions.get(versionId);
    if (existing?.value !== undefined) {
      return existing.value === value ? 'stored' : 'kept';
    }
    for (const version of versions.values()) {
      version.labels.delete(stages.pending);
    }
    versions.set(versionId, {
      value,
      labels: new Set([stages.pending]),
      created: existing?.created ?? this.#now(),
    });
    return 'stored';
  }

  async moveCurrent(secretId: string, { to, from }: { to: string; from: string }): Promise<void> {
    const { versions } = this.#secret(secretId);
    const [target, holder] = [versions.get(to), versions.get(from)];
    if (target === undefined || !holder?.labels.has(stages.current)) {
      throw new SecretError('CurrentMoved', `${stages.current} is not on ${from}`);
    }
    for (const version of versions.values()) {
      version.labels.delete(stages.previous);
    }
    holder.labels.delete(stages.current);
    holder.labels.add(stages.previous);
    target.labels.add(stages.current);
  }

  async tag(secretId: string, key: string, value: string): Promise<void> {
    const secret = this.#secret(secretId);
    secret.tags = { ...secret.tags, [key]: value };
  }

  async listVersions(secretId: string) {
    return [...this.#secret(secretId).versions]
      .map(([versionId, { labels, created }]) => ({ versionId, stages: [...labels], created }))
      .sort((a, b) => b.created.getTime() - a.created.getTime());
  }

  #secret(arn: string): StoredSecret {
    const secret = this.#secrets.get(arn);
    if (secret === undefined) {
      throw new SecretError('SecretMissing', `secret ${arn} does not exist`);
    }
    return secret;
  }

  #now(): Date {
    this.#tick += 1000;
    return new Date(this.#tick);
  }
}
