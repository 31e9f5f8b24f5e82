import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  InvalidRequestException,
  paginateListSecrets,
  RotateSecretCommand,
  type SecretListEntry,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { LocalCloud } from '../../local/emulator/cloud.ts';
import type { Kind } from './targets.ts';

/** How long nothing may happen before what is left is asked for again. */
const stallMs = 20_000;
const rotationLimitMs = 120_000;

const isUnfinished = ({ SecretVersionsToStages: versions = {} }: SecretListEntry): boolean =>
  Object.values(versions).some((labels) => labels.includes('AWSPENDING') && !labels.includes('AWSCURRENT'));

/** Names of the secrets whose first rotation has not ended. */
async function unrotated(client: SecretsManagerClient, names: ReadonlySet<string>): Promise<Set<string>> {
  const left = new Set(names);
  for await (const { SecretList = [] } of paginateListSecrets({ client, pageSize: 100 }, {})) {
    for (const entry of SecretList) {
      if (entry.LastRotatedDate !== undefined && !isUnfinished(entry)) left.delete(entry.Name ?? '');
    }
  }
  return left;
}

/** Failed steps by what the function said, from the log of the local cloud. */
export async function failedSteps(cloud: LocalCloud): Promise<Record<string, number>> {
  const log = await readFile(cloud.logFile, 'utf8');
  const counts: Record<string, number> = {};
  for (const [, step, why = ''] of log.matchAll(/Rotation of \S+ failed in (\w+): (.*)/g)) {
    const reason = `${step}: ${why.slice(0, 120)}`;
    counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}

/**
 * Waits until nothing happens any more, and then asks again for each rotation that has failed, so many at a time: all at once
 * would find no more room than the first time.
 * @returns the names of those that were never rotated, and how many were asked for again
 */
export async function firstRotations(
  client: SecretsManagerClient,
  names: readonly string[],
  concurrency: number,
): Promise<{ readonly never: readonly string[]; readonly retried: number }> {
  let left = await unrotated(client, new Set(names));
  let moved = performance.now();
  while (left.size > 0 && performance.now() - moved < stallMs) {
    await sleep(1_000);
    const now = await unrotated(client, left);
    if (now.size < left.size) moved = performance.now();
    left = now;
  }
  const { failed } = await rotateEach(client, [...left], concurrency);
  return { never: failed, retried: left.size };
}

/** Rotates every secret once, so many at a time. */
export async function rotateEach(
  client: SecretsManagerClient,
  names: readonly string[],
  concurrency: number,
): Promise<{ readonly seconds: number; readonly failed: readonly string[] }> {
  const waiting = [...names];
  const failed: string[] = [];
  const began = performance.now();
  const work = async () => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      if (!(await rotateOnce(client, name))) failed.push(name);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return { seconds: (performance.now() - began) / 1_000, failed };
}

async function rotateOnce(client: SecretsManagerClient, SecretId: string): Promise<boolean> {
  const describe = () => client.send(new DescribeSecretCommand({ SecretId }));
  const before = (await describe()).LastRotatedDate?.getTime() ?? 0;
  await client.send(new RotateSecretCommand({ SecretId })).catch((error: unknown) => {
    // What has not ended is not begun anew: Secrets Manager refuses, and goes on with what there is.
    if (!(error instanceof InvalidRequestException)) throw error;
  });
  const deadline = performance.now() + rotationLimitMs;
  while (performance.now() < deadline) {
    const { LastRotatedDate, VersionIdsToStages } = await describe();
    const ended = !isUnfinished({ SecretVersionsToStages: VersionIdsToStages });
    if (ended && (LastRotatedDate?.getTime() ?? 0) > before) return true;
    await sleep(100);
  }
  return false;
}

/** Tries at the targets what secrets of every kind hold, spread evenly. */
export async function tryLogins(
  client: SecretsManagerClient,
  kinds: readonly Kind[],
  perKind: number,
): Promise<{ readonly tried: number; readonly refused: readonly string[] }> {
  const refused: string[] = [];
  let tried = 0;
  for (const { names, accepts } of kinds) {
    if (accepts === undefined) continue;
    const every = Math.max(1, Math.floor(names.length / perKind));
    for (const name of names.filter((_, index) => index % every === 0)) {
      const { SecretString = '{}' } = await client.send(new GetSecretValueCommand({ SecretId: name }));
      tried += 1;
      if (!(await accepts(JSON.parse(SecretString)))) refused.push(name);
    }
  }
  return { tried, refused };
}
