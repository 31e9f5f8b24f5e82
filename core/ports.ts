import type { AnyEvent } from './events/catalogue.ts';
import type { SecretDefinition } from './secret/definition.ts';
import type { SecretDescription, SecretVersion } from './secret/secret.ts';

/**
 * The small interfaces through which Rekey reaches the outside. `adapters/` implements them on the AWS SDK; tests implement
 * them in memory or with faults. Those of one subject stand with it: `brake.ts`, `audit/store.ts`, `audit/verify.ts`; those of
 * the CLI in `operator-ports.ts`.
 */

/** Secrets Manager, as far as the runtime needs it. Each method is exactly one API call. */
export interface SecretStore {
  /** Reads what is known of a secret besides its values. @throws SecretError `SecretMissing` | `SecretAccessDenied` */
  describe(secretId: string): Promise<SecretDescription>;
  /**
   * Reads one version; `undefined` when it does not exist or is still empty.
   * @throws SecretError `SecretAccessDenied`
   */
  read(
    secretId: string,
    which: { versionId: string } | { stage: string },
  ): Promise<SecretVersion | undefined>;
  /**
   * Puts `value` under `versionId` with the label AWSPENDING. A version that already holds another value stays as it
   * is: `'kept'`. Secrets Manager never changes a version's value once it has one.
   * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
   */
  putPending(
    secretId: string,
    versionId: string,
    value: string,
    rotationToken?: string,
  ): Promise<'stored' | 'kept'>;
  /**
   * Moves AWSCURRENT from one version to the other; AWSPREVIOUS follows by itself.
   * @throws SecretError `CurrentMoved` when `from` no longer holds AWSCURRENT
   */
  moveCurrent(secretId: string, move: { to: string; from: string }): Promise<void>;
  /** Takes AWSPENDING off a version, so that the next rotation makes another one. Twice is the same as once. */
  removePending(secretId: string, versionId: string): Promise<void>;
  /** Sets one tag of the secret. */
  tag(secretId: string, key: string, value: string): Promise<void>;
  /** Lists all kept versions, labelled or not, newest first. */
  listVersions(
    secretId: string,
  ): Promise<readonly { versionId: string; stages: readonly string[]; created?: Date }[]>;
}

/** The event bus. */
export interface EventBus {
  /**
   * Hands events over for delivery to the audit log and everybody else who listens.
   * @throws AuditUnavailableError when any of them was not accepted
   */
  publish(events: readonly AnyEvent[]): Promise<void>;
}

export interface Clock {
  now(): Date;
}

/** A source of cryptographically strong randomness. */
export interface Random {
  bytes(length: number): Uint8Array;
  /** Draws a uniformly distributed integer in `[0, limit)`. */
  integer(limit: number): number;
}

/**
 * The RDS API as far as it tells where databases are. Admin secrets that RDS manages hold no host, and the admin secret of a
 * read replica names the primary.
 */
export interface DatabaseDirectory {
  /** Finds the address at which the instance or cluster with this ARN listens. */
  locate(arn: string): Promise<{ host: string; port: number; engine: string } | undefined>;
  /** Tells whether both hosts are endpoints of one cluster, or the first is of a replica of the second. */
  sharesUsers(host: string, adminHost: string): Promise<boolean>;
}

/** The definitions of an environment, and the names of the parameters that hold none. */
export interface KnownDefinitions {
  readonly definitions: readonly SecretDefinition[];
  readonly invalid: readonly string[];
}

/** The definitions of the secrets that Rekey looks after in one environment. */
export interface DefinitionStore {
  /** Finds a definition by the secret's name, full ARN or ARN without the random suffix. */
  find(secret: string): Promise<SecretDefinition | undefined>;
  list(): Promise<readonly SecretDefinition[]>;
}

/** The definitions as an emergency reads them: what is broken is named, and keeps nothing from the rest. */
export interface ValidDefinitions {
  listValid(): Promise<KnownDefinitions>;
}

/** Starts rotations. */
export interface RotationControl {
  /**
   * Asks Secrets Manager to rotate now, into a version with the id `token`.
   * @returns `'unfinished'` when an earlier rotation has not ended; Secrets Manager then tries that one again
   * @throws SecretError `SecretMissing` | `SecretAccessDenied` | `RotationDisabled` | `RotationFunctionDenied`
   */
  rotate(secretId: string, token: string): Promise<'started' | 'unfinished'>;
}

/** Starts the revocation workflow. */
export interface RevocationStarter {
  /**
   * Starts the workflow once per name.
   * @param input the workflow's input, JSON
   * @returns `'started'`, or the input of the execution that already has this name
   */
  start(name: string, input: string): Promise<'started' | { readonly input: string }>;
}
