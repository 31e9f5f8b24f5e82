import type { CredentialKeys } from '../../core/fingerprint/values.ts';
import type { SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { keysOf as genericKeys, genericSecretSchema } from '../../rotators/generic/schema.ts';
import { recipes } from '../../rotators/http/recipes/index.ts';
import { registry, secretTypes } from '../../rotators/registry.ts';

/** Keys that say whose a credential is or where it goes. The words are of AWS's own secrets and of many others. */
const places: ReadonlySet<string> = new Set([
  ...['engine', 'username', 'user', 'host', 'hostname', 'port', 'dbname', 'database', 'ssl', 'proxyHost'],
  ...['masterarn', 'dbInstanceIdentifier', 'dbClusterIdentifier', 'url', 'region', 'account', 'email'],
  ...['recipe', 'service', 'createdAs', 'expiresAt', 'rotates', 'name', 'description', 'clientId'],
]);

/** Names every key that may hold a credential, where nothing says which one does. */
const allButPlaces: CredentialKeys = (secret) => Object.keys(secret).filter((key) => !places.has(key));

/** Names the id and the secret of an API credential, by its recipe. The admin of a service has none. */
const httpKeys: CredentialKeys = (secret) => {
  const { recipe } = secret;
  const credential = typeof recipe === 'string' ? recipes.get(recipe)?.credential : undefined;
  return credential === undefined ? allButPlaces(secret) : [credential.id, credential.secret];
};

/** Types whose secrets say themselves which keys hold the credential, and those of which nobody knows. */
const special: Readonly<Record<string, CredentialKeys>> = {
  external: allButPlaces,
  generic: (secret) => {
    const parsed = genericSecretSchema.safeParse(secret);
    return parsed.success ? genericKeys(parsed.data) : allButPlaces(secret);
  },
  http: httpKeys,
};

/**
 * Gives the keys of the JSON that hold the credential, by the type of a secret. They are those that its rotator names, without
 * its driver, so that one small function serves all types.
 */
export function credentialKeysOf(type: string): CredentialKeys {
  const known = secretTypes.find((one) => one === type);
  const own = special[type];
  if (own !== undefined) return own;
  if (known === undefined) return allButPlaces;
  const descriptor: SecretTypeDescriptor = registry[known];
  // The first value of a created secret stands under `password`, also where the target issues what comes later.
  return () => [...(descriptor.credential ?? []), 'password'];
}
