import type { PreflightCloud, Prober } from '../../core/preflight/ports.ts';
import { traceCalls } from './call-trace.ts';
import { EncryptionKeys } from './encryption-keys.ts';
import { PreflightPrincipals } from './preflight-principals.ts';
import { PreflightSecrets } from './preflight-secrets.ts';

/** Options that every client of the SDK takes. */
interface ClientOptions {
  readonly region?: string;
  readonly profile?: string;
  readonly maxAttempts: number;
  readonly requestHandler: { readonly connectionTimeout: number; readonly requestTimeout: number };
}

/** Tries of one call. The SDK waits longer each time, up to 20 seconds, so that a throttled check gets slower and not wrong. */
const maxAttempts = 10;

/** Opens the account for a preflight. Clients of other regions are made when a secret of such a region is first asked for. */
export async function openPreflight(options: ClientOptions, prober?: Prober) {
  const [{ SecretsManagerClient }, { KMSClient }, { IAMClient }] = await Promise.all([
    import('@aws-sdk/client-secrets-manager'),
    import('@aws-sdk/client-kms'),
    import('@aws-sdk/client-iam'),
  ]);
  const patient = { ...options, maxAttempts };
  const secretsIn = inRegions((region) =>
    traceCalls(new SecretsManagerClient({ ...patient, region }), 'secretsmanager'),
  );
  const keysIn = inRegions((region) => traceCalls(new KMSClient({ ...patient, region }), 'kms'));
  const secrets = new PreflightSecrets(secretsIn, prober);
  const principals = new PreflightPrincipals(traceCalls(new IAMClient(patient), 'iam'));
  const keys = new EncryptionKeys(keysIn);
  const usual = new SecretsManagerClient(patient);
  const cloud: PreflightCloud = {
    secret: (place) => secrets.secret(place),
    names: (region) => secrets.names(region),
    resourcePolicy: (place) => secrets.resourcePolicy(place),
    shapes: (asked) => secrets.shapes(asked),
    tryOut: (place, type) => secrets.tryOut(place, type),
    encryptionKey: (keyId, region) => keys.encryptionKey(keyId, region),
    role: (name) => principals.role(name),
    principals: () => principals.principals(),
  };
  return { cloud, region: await usual.config.region() };
}

/** Keeps a client for each region. */
function inRegions<Client>(make: (region: string) => Client): (region: string) => Client {
  const clients = new Map<string, Client>();
  return (region) => {
    const client = clients.get(region) ?? make(region);
    clients.set(region, client);
    return client;
  };
}
