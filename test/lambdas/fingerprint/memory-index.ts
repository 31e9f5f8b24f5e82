import { createHmac } from 'node:crypto';
import type { Match } from '../../../core/fingerprint/lookup.ts';
import type {
  FingerprintIndex,
  FingerprintLookup,
  IndexedSecret,
  IndexedVersion,
  MacKey,
  SignedValue,
  Standing,
} from '../../../core/fingerprint/store.ts';

/** A key in memory; it notes what it was given. */
export class MemoryKey implements MacKey {
  readonly signed: string[] = [];

  async sign(hash: string): Promise<string> {
    this.signed.push(hash);
    return createHmac('sha256', 'key').update(hash).digest('base64url');
  }
}

interface Kept {
  readonly secretArn: string;
  readonly versionId: string;
  readonly parts: readonly string[];
}

/** The index in memory, by the rules of its interface. */
export class MemoryIndex implements FingerprintIndex, FingerprintLookup {
  readonly noted = new Map<string, IndexedSecret & { readonly forgetAt?: Date }>();
  readonly kept = new Map<string, IndexedVersion>();
  readonly values = new Map<string, Kept[]>();
  writes = 0;

  async secret(arn: string) {
    return this.noted.get(arn);
  }

  async secrets() {
    return [...this.noted.values()];
  }

  async versions(secretArn: string) {
    return [...this.kept].flatMap(([key, version]) => (key.startsWith(`${secretArn} `) ? [version] : []));
  }

  async note(secret: IndexedSecret, forgetAt?: Date) {
    this.writes += 1;
    this.noted.set(secret.arn, { ...secret, ...(forgetAt !== undefined && { forgetAt }) });
  }

  async add(secretArn: string, version: Omit<IndexedVersion, 'macs'>, values: readonly SignedValue[]) {
    this.writes += 1;
    for (const { mac, parts } of values) {
      const others = (this.values.get(mac) ?? []).filter(
        (one) => one.secretArn !== secretArn || one.versionId !== version.versionId,
      );
      this.values.set(mac, [...others, { secretArn, versionId: version.versionId, parts }]);
    }
    this.kept.set(`${secretArn} ${version.versionId}`, { ...version, macs: values.map(({ mac }) => mac) });
  }

  async relabel(secretArn: string, { versionId }: IndexedVersion, standing: Standing) {
    const key = `${secretArn} ${versionId}`;
    const known = this.kept.get(key);
    if (known === undefined || known.seenAt >= standing.seenAt) return;
    this.writes += 1;
    const { created, macs } = known;
    this.kept.set(key, { versionId, macs, ...standing, ...(created !== undefined && { created }) });
  }

  async find(mac: string): Promise<readonly Omit<Match, 'candidate'>[]> {
    return (this.values.get(mac) ?? []).flatMap(({ secretArn, versionId, parts }) => {
      const [secret, version] = [this.noted.get(secretArn), this.kept.get(`${secretArn} ${versionId}`)];
      if (secret === undefined || version === undefined) return [];
      return [
        {
          secretArn,
          secretName: secret.name,
          secretType: secret.type,
          strategy: secret.strategy,
          owner: secret.owner,
          versionId,
          parts: [...parts],
          labels: [...version.labels],
          seenAt: version.seenAt.toISOString(),
          ...(version.replacedBy !== undefined && { replacedBy: version.replacedBy.toISOString() }),
          ...(secret.goneBy !== undefined && { goneBy: secret.goneBy.toISOString() }),
        },
      ];
    });
  }
}
