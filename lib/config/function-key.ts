import type { Strategy } from '../../core/secret/secret.ts';
import type { SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { isRotated, registry, type SecretType } from '../../rotators/registry.ts';
import type { EnvironmentConfiguration, PasswordConfiguration, SecretConfiguration } from './schema.ts';
import { secretName } from './secret-rules.ts';
import { identityOf } from './shards/identity.ts';

/** Names an admin secret so that a new key in the configuration does not change it. */
type AdminIdentity = { readonly name: string } | { readonly adopt: string };

/**
 * Decides which secrets share functions: those whose keys are equal, and no others.
 *
 * It holds what a function may do, whom it trusts, and what sets its secrets apart. What changes in place (password rules of the
 * environment, the subnets of a network) is no part of it, or a change would replace functions.
 */
export interface FunctionKey {
  readonly type: SecretType;
  readonly strategy: Strategy;
  /** Key of the network in the configuration. */
  readonly network?: string | undefined;
  readonly trust: {
    readonly plaintext: boolean;
    readonly privateAddresses: boolean;
    /** PEM file, relative to the configuration. */
    readonly certificateAuthority?: string | undefined;
  };
  /** Rules of its own for passwords. Those of the environment change in place. */
  readonly passwords?: PasswordConfiguration | undefined;
  /**
   * Whoever may write a secret decides which target and which admin secret its function turns to. Where nothing at the
   * target proves that it is the secret's own, a function serves only secrets of the same targets or of the same admin.
   */
  readonly reach: {
    readonly resources: readonly string[];
    readonly admin?: AdminIdentity | undefined;
  };
}

/** Reads the function key of a secret from the configuration. */
export function functionKeyOf(
  secret: SecretConfiguration,
  environment: string,
  { secrets }: EnvironmentConfiguration,
): FunctionKey {
  const { type, strategy, network, allowPlaintext, allowPrivateAddresses, certificateAuthority } = secret;
  const { aws, adminDecides }: SecretTypeDescriptor = registry[type];
  return {
    type,
    strategy,
    // A function of somebody else's brings its own network, and the one that reports on it logs in nowhere.
    network: isRotated(type) ? network : undefined,
    passwords: secret.passwords,
    trust: { plaintext: allowPlaintext, privateAddresses: allowPrivateAddresses, certificateAuthority },
    reach: {
      resources: aws === undefined ? [] : secret.resources.toSorted(),
      admin: adminDecides ? adminIdentity(secret, environment, secrets) : undefined,
    },
  };
}

/** Writes a function key as a construct id: type and strategy to read, and a hash of all. */
export const functionId = (key: FunctionKey): string => `${key.type}-${key.strategy}-${identityOf(key)}`;

function adminIdentity(
  { adminSecret }: SecretConfiguration,
  environment: string,
  secrets: EnvironmentConfiguration['secrets'],
): AdminIdentity | undefined {
  const admin =
    adminSecret !== undefined && 'secret' in adminSecret ? secrets[adminSecret.secret] : adminSecret;
  if (admin === undefined) {
    return undefined;
  }
  // Two ARNs of one name are of different accounts, so an adopted secret is told by all of what names it.
  return admin.adopt === undefined ? { name: secretName(environment, admin) } : { adopt: admin.adopt };
}
