import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { ConfigurationError } from '../config.ts';
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

/** Options of {@link recordedShards}. */
export interface RecordOptions {
  readonly environment: string;
  /** Says that nothing of the environment is deployed, so that any assignment is right. @default false */
  readonly nothingDeployed?: boolean;
  /**
   * Refuses to change the file, for a pipeline that throws its checkout away, and what was recorded with it.
   * @default false
   */
  readonly locked?: boolean;
}

/**
 * Assigns an environment's secrets by what the file records, and records what is new. What was adopted once stays recorded, so
 * that a change that no deploy could make is refused.
 *
 * The file is to be committed, like `cdk.context.json`: a deploy finds the secrets in their stacks by it. Other environments in
 * it are left as they are.
 *
 * @throws ConfigurationError when the file is damaged or cannot be written, or would change although it is locked, or the
 * assignment is not known
 */
export function recordedShards(
  file: string,
  demands: readonly Demand[],
  options: RecordOptions,
): ShardAssignment {
  const { environment } = options;
  const record = readRecord(file);
  const entry = Object.hasOwn(record, environment) ? record[environment] : undefined;
  const { adopted: known = {}, ...recorded } = entry ?? { stacks: 1, secrets: {} };
  checkAdopted(file, environment, demands, known);
  const assignment = assignShards(demands, { ...options, recorded: entry && recorded });
  const adopted = adoptedOf(demands, known);
  const next = { ...assignment, ...(Object.keys(adopted).length !== 0 && { adopted }) };
  if (JSON.stringify(next) !== JSON.stringify(entry)) {
    if (options.locked === true) {
      throw new ConfigurationError(
        `${file} is locked, and lacks what this configuration adds to ${environment}: ${additions(next, entry).join('; ')}. ` +
          `Where it can be committed, run npx cdk synth -c environment=${environment}, commit the file with the configuration, and deploy that`,
      );
    }
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

/** Lists what a record adds to the one before, in words; long lists are cut. */
function additions(next: ShardRecord[string], before: ShardRecord[string] | undefined): string[] {
  const newIn = (one: object, other: object = {}) => {
    const known = new Map<string, unknown>(Object.entries(other));
    const names = Object.entries(one).flatMap(([name, value]) => (known.get(name) === value ? [] : [name]));
    const shown = names.slice(0, 10).join(', ');
    return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
  };
  const secrets = newIn(next.secrets, before?.secrets);
  const adopted = newIn(next.adopted ?? {}, before?.adopted);
  return [
    ...(secrets === '' ? [] : [`the stack of ${secrets}`]),
    ...(adopted === '' ? [] : [`that ${adopted} are adopted`]),
    ...(next.stacks === before?.stacks ? [] : [`${next.stacks} rotation stacks`]),
  ];
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
