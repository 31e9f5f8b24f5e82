import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { ConfigurationError } from '../config/config.ts';
import { adoptedOf, adoptedSchema, checkAdopted } from './adopted.ts';
import { assignShards, type ShardAssignment } from './assignment.ts';
import type { Demand } from './capacity.ts';

/** Name of the file beside the configuration that says which rotation stack each secret is in. */
export const shardFileName = 'rekey.shards.json';

const recordSchema = z.record(
  z.string(),
  z
    .strictObject({
      stacks: z.int().min(1).max(1000),
      secrets: z.record(z.string(), z.int().min(0)),
      adopted: adoptedSchema.optional(),
    })
    .refine(({ stacks, secrets }) => Object.values(secrets).every((shard) => shard < stacks), {
      error: 'names a stack beyond `stacks`',
    }),
);
type ShardRecord = z.output<typeof recordSchema>;

/**
 * Assigns an environment's secrets by what the file records, and records what is new. What was adopted once stays recorded,
 * so that a change that no deploy could make is refused.
 *
 * The file is to be committed, like `cdk.context.json`: whoever deploys without it would not know where the secrets are.
 * Other environments in it are left as they are.
 *
 * @throws ConfigurationError when the file is damaged or cannot be written, or the assignment is not known
 */
export function recordedShards(
  file: string,
  demands: readonly Demand[],
  options: { readonly environment: string; readonly nothingDeployed?: boolean },
): ShardAssignment {
  const { environment } = options;
  const record = readRecord(file);
  const entry = Object.hasOwn(record, environment) ? record[environment] : undefined;
  const { adopted: known = {}, ...recorded } = entry ?? { stacks: 1, secrets: {} };
  checkAdopted(file, environment, demands, known);
  const assignment = assignShards(demands, { ...options, recorded: entry && recorded });
  const adopted = adoptedOf(demands, known);
  const next = { ...assignment, ...(Object.keys(adopted).length === 0 ? {} : { adopted }) };
  if (JSON.stringify(next) !== JSON.stringify(entry)) {
    try {
      writeRecord(file, { ...record, [environment]: next });
    } catch (error) {
      // With a single stack there is nothing to know.
      if (entry !== undefined || assignment.stacks > 1) {
        throw new ConfigurationError(
          `${file}: cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'}), and without it nobody knows which stack a secret is in; synthesize where it can be, and commit it`,
        );
      }
    }
  }
  return assignment;
}

function readRecord(file: string): ShardRecord {
  if (!existsSync(file)) {
    return {};
  }
  const problem = (what: string) =>
    new ConfigurationError(
      `${file}: ${what}; restore it from version control, since it says in which stack each deployed secret is`,
    );
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw problem('is not JSON');
  }
  const parsed = recordSchema.safeParse(json);
  if (!parsed.success) {
    throw problem(z.prettifyError(parsed.error));
  }
  return parsed.data;
}

/** Replaces the file in one step, so that a synthesis beside this one reads the old or the new. */
function writeRecord(file: string, record: ShardRecord): void {
  const sorted = Object.fromEntries(
    Object.entries(record).toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(sorted, undefined, 2)}\n`);
  renameSync(draft, file);
}
