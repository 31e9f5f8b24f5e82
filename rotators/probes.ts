import type { ProbeResult, Revoker, TargetContext } from '../core/rotator.ts';
import { isUnverifiable, type SecretType, secretTypes } from './registry.ts';

/** Loads the rotator of each type. A driver is read when a credential of its type is first tried. */
const loaders: Readonly<Record<SecretType, () => Promise<{ readonly rotator: unknown }>>> = {
  elasticache: () => import('./elasticache/rotator.ts'),
  external: () => import('./external/rotator.ts'),
  generic: () => import('./generic/rotator.ts'),
  http: () => import('./http/rotator.ts'),
  'iam-access-key': () => import('./iam-access-key/rotator.ts'),
  mysql: () => import('./mysql/rotator.ts'),
  postgresql: () => import('./postgresql/rotator.ts'),
  'rds-admin': () => import('./rds-admin/rotator.ts'),
  redis: () => import('./redis/rotator.ts'),
  redshift: () => import('./redshift/rotator.ts'),
};

/** Types by the engine that AWS's own secrets name. */
const byEngine: Readonly<Record<string, SecretType>> = {
  postgres: 'postgresql',
  'aurora-postgresql': 'postgresql',
  mysql: 'mysql',
  'aurora-mysql': 'mysql',
  mariadb: 'mysql',
  redis: 'redis',
  valkey: 'redis',
  redshift: 'redshift',
};

/** The settings of a trial. */
export type ProbeSettings = Pick<TargetContext, 'certificateAuthorities'>;

/** Milliseconds that a target may take to answer. */
const patienceMs = 5_000;

/**
 * Tries a credential at its target, once, and does nothing else there. This is all of the rotators that the command line has:
 * it can change no credential.
 * @param value - JSON of the secret; no part of it is in the answer
 * @param type - secret type; without one, the engine in the JSON says it
 */
export async function tryCredential(
  value: string,
  type: string | undefined,
  { certificateAuthorities }: ProbeSettings = {},
): Promise<ProbeResult> {
  const unverifiable = (note: string) => ({ outcome: 'unverifiable', note }) as const;
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    // The error of the parser would quote the value.
    return unverifiable('its value is no JSON');
  }
  const engine = typeof json === 'object' && json !== null && 'engine' in json ? json.engine : undefined;
  const known = secretTypes.find(
    (one) => one === (type ?? (typeof engine === 'string' ? byEngine[engine] : undefined)),
  );
  if (known === undefined)
    return unverifiable(
      'its type is not known: Rekey has no definition of it, and no engine stands in its JSON',
    );
  if (isUnverifiable(known)) return unverifiable(`nobody can be asked about secrets of type ${known}`);
  const { rotator } = (await loaders[known]()) as { readonly rotator: Revoker<object> };
  const read = rotator.schema.safeParse(json);
  if (!read.success) {
    const keys = [...new Set(read.error.issues.map(({ path }) => path.join('.') || 'the value'))];
    return unverifiable(`its JSON has not the form of type ${known}: ${keys.slice(0, 5).join(', ')}`);
  }
  return await rotator.probe(read.data, {
    connectTimeoutMs: patienceMs,
    statementTimeoutMs: patienceMs,
    ...(certificateAuthorities !== undefined && { certificateAuthorities }),
    finding: () => undefined,
  });
}
