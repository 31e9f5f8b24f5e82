import type { TargetContext } from '../../../core/rotator.ts';
import { NoTlsOffered } from './failures.ts';

/** Tells how a secret wants its connections, by the rules of AWS's functions for the key `ssl`. */
export function transportOf({ ssl }: { readonly ssl?: unknown }): 'tls' | 'plaintext' | 'unsaid' {
  const value = typeof ssl === 'string' ? ssl.toLowerCase() : ssl;
  if (value === true || value === 'true') return 'tls';
  if (value === false || value === 'false') return 'plaintext';
  return 'unsaid';
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly ssl?: unknown;
}

/**
 * Connects over TLS unless the secret says `"ssl": false`. It connects without TLS if the server offers none, the secret does not
 * ask for it, and plaintext is allowed. Each connection in plaintext is a finding.
 */
export async function overTransport<S>(
  endpoint: Endpoint,
  context: TargetContext,
  connect: (encrypted: boolean) => Promise<S>,
): Promise<S> {
  const transport = transportOf(endpoint);
  const note = (why: string) =>
    context.finding({
      code: 'PlaintextConnection',
      message: `user "${endpoint.username}" connects to ${endpoint.host}:${endpoint.port} without TLS, ${why}`,
    });
  if (transport === 'plaintext') {
    note('because the secret says "ssl": false');
    return await connect(false);
  }
  try {
    return await connect(true);
  } catch (error) {
    if (!(error instanceof NoTlsOffered) || transport === 'tls' || !context.allowPlaintext) throw error;
    note('because the server offers no TLS and plaintext is allowed');
    return await connect(false);
  }
}
