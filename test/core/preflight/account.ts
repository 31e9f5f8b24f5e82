import { RekeyError, SecretError } from '../../../core/errors/rekey-error.ts';
import { type Policy, policySchema } from '../../../core/iam/document.ts';
import type {
  EncryptionKey,
  KnownDefinition,
  KnownPrincipal,
  KnownSecret,
  OpenRevocation,
  PreflightCloud,
  PreflightEnvironment,
  Trial,
  ValueShape,
} from '../../../core/preflight/ports.ts';
import type { SecretReference } from '../../../core/preflight/reference.ts';
import { shapeOf } from '../../../core/preflight/shape.ts';

export const now = new Date('2026-03-10T12:00:00.000Z');
export const account = '111122223333';
export const region = 'eu-central-1';

/** Writes a policy as IAM reads it. */
export const policy = (...Statement: readonly object[]): Policy =>
  policySchema.parse({ Version: '2012-10-17', Statement });
export const allow = (Action: string, Resource = '*', more: object = {}) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
});
export const deny = (Action: string, Resource = '*', more: object = {}) => ({
  ...allow(Action, Resource, more),
  Effect: 'Deny',
});

export const arnOf = (name: string, at: { region?: string; account?: string } = {}): string =>
  `arn:aws:secretsmanager:${at.region ?? region}:${at.account ?? account}:secret:${name}-AbCdEf`;
export const roleArn = (name: string, of: string = account): string => `arn:aws:iam::${of}:role/${name}`;

/** Makes a reference as a manifest would hold it. */
export const reference = (secret: string, more: Partial<SecretReference> = {}): SecretReference => ({
  format: 'rekey-manifest',
  place: { file: 'deploy/refs.yaml', line: 3, pointer: 'references[0]' },
  secret,
  ...more,
});

interface Kept extends KnownSecret {
  readonly value: string | undefined;
  readonly resourcePolicy?: Policy;
}

/** An account in memory. It counts the calls of each action, and refuses those that are denied. */
export class FakeAccount implements PreflightCloud, PreflightEnvironment {
  readonly secrets: Kept[] = [];
  readonly keys: (EncryptionKey & { readonly ids: readonly string[] })[] = [];
  readonly roles: KnownPrincipal[] = [];
  readonly definitions: Record<string, KnownDefinition> = {};
  readonly revocations = new Map<string, OpenRevocation>();
  readonly trials: Record<string, Trial> = {};
  /** Actions that are denied to the caller. */
  readonly denied = new Set<string>();
  readonly calls: Record<string, number> = {};
  running = 0;
  mostRunning = 0;

  add(name: string, more: Partial<Kept> = {}): Kept {
    const secret: Kept = {
      arn: arnOf(name),
      name,
      tags: {},
      versions: { 'version-2': ['AWSCURRENT'], 'version-1': ['AWSPREVIOUS'] },
      rotationEnabled: true,
      lastRotated: new Date(now.getTime() - 86_400_000),
      nextRotation: new Date(now.getTime() + 86_400_000),
      value: '{"username":"app","password":"sentinel-password","db":{"host":"h"}}',
      ...more,
    };
    this.secrets.push(secret);
    return secret;
  }

  role(name: string): Promise<KnownPrincipal | undefined>;
  role(name: string, policies: readonly Policy[], more?: Partial<KnownPrincipal>): KnownPrincipal;
  role(name: string, policies?: readonly Policy[], more: Partial<KnownPrincipal> = {}) {
    if (policies !== undefined) {
      const made: KnownPrincipal = { kind: 'role', arn: roleArn(name), tags: {}, policies, ...more };
      this.roles.push(made);
      return made;
    }
    return this.#call('iam:GetRole', name, () => this.roles.find(({ arn }) => arn === roleArn(name)));
  }

  secret({ id, region: at }: { id: string; region: string }) {
    return this.#call('secretsmanager:DescribeSecret', id, () => this.#find(id, at));
  }

  names() {
    return this.#call('secretsmanager:ListSecrets', '*', () =>
      this.secrets.filter(({ deleted }) => deleted === undefined).map(({ name }) => name),
    );
  }

  resourcePolicy({ id, region: at }: { id: string; region: string }) {
    return this.#call('secretsmanager:GetResourcePolicy', id, () => this.#find(id, at)?.resourcePolicy);
  }

  shapes(asked: readonly { id: string; region: string }[]) {
    return this.#call('secretsmanager:BatchGetSecretValue', `${asked.length} secrets`, () =>
      asked.map(({ id, region: at }): ValueShape | Error => {
        if (this.denied.has(`secretsmanager:GetSecretValue ${id}`))
          return refusal('secretsmanager:GetSecretValue', id);
        const { value } = this.#find(id, at) ?? {};
        return value === undefined ? { kind: 'binary', paths: [], cut: false } : shapeOf(value);
      }),
    );
  }

  tryOut({ id }: { id: string }) {
    return this.#call(
      'secretsmanager:GetSecretValue',
      id,
      (): Trial => this.trials[id] ?? { outcome: 'accepted' },
    );
  }

  encryptionKey(keyId: string) {
    return this.#call('kms:GetKeyPolicy', keyId, () =>
      this.keys.find(({ arn, ids }) => arn === keyId || ids.includes(keyId)),
    );
  }

  principals() {
    return this.#call('iam:GetAccountAuthorizationDetails', 'the account', () => this.roles);
  }

  definition({ arn }: { arn: string }) {
    return this.#call('ssm:GetParameter', arn, () => this.definitions[arn]);
  }

  openRevocations() {
    return this.#call('s3:ListBucket', 'audit', () => this.revocations);
  }

  #find(id: string, at: string): Kept | undefined {
    return this.secrets.find(
      ({ arn, name }) => arn.split(':')[3] === at && (arn === id || name === id || arn.slice(0, -7) === id),
    );
  }

  async #call<T>(action: string, on: string, answer: () => T): Promise<T> {
    this.calls[action] = (this.calls[action] ?? 0) + 1;
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    await new Promise((done) => setImmediate(done));
    this.running -= 1;
    if (this.denied.has(action)) throw refusal(action, on);
    return answer();
  }
}

const refusal = (action: string, on: string): RekeyError =>
  action.startsWith('secretsmanager:')
    ? new SecretError(
        'SecretAccessDenied',
        `${action} on ${on} is denied to this role; its policy must allow it`,
      )
    : new RekeyError(
        'AccessDenied',
        `IAM: ${action} on ${on} is denied (AccessDenied); the policies must allow it`,
      );
