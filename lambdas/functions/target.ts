import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import type { containmentEnvironmentSchema } from '../../core/deployed/variables.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../core/rotator.ts';

/**
 * Time limits for talking to targets. One step makes at most a handful of logins, so these stay well below the functions' own
 * timeout. A target that hangs fails the step, never the invocation.
 */
const timeouts = { connectTimeoutMs: 5_000, statementTimeoutMs: 10_000 } as const;

/** Reads a function's settings for its targets from its environment, the file of own certificate authorities included. */
export function targetDefaults(
  environment: z.output<typeof containmentEnvironmentSchema>,
): Omit<TargetContext, 'finding'> {
  const { REKEY_CA_FILE: file } = environment;
  return {
    ...timeouts,
    allowPlaintext: environment.REKEY_ALLOW_PLAINTEXT,
    allowPrivateAddresses: environment.REKEY_ALLOW_PRIVATE_ADDRESSES,
    ...(file !== undefined && { certificateAuthorities: readCertificates(file) }),
  };
}

function readCertificates(file: string): string[] {
  const pem = readFileSync(join(process.env.LAMBDA_TASK_ROOT ?? '.', file), 'utf8');
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g);
  if (certificates === null) {
    throw new RekeyError('FunctionMisconfigured', `${file} holds no PEM certificate; deploy again`);
  }
  return certificates;
}
