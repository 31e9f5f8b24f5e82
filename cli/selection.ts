import { mostNamedSecrets, type Selection, selectionSchema } from '../core/revocation/selection.ts';
import type { Invocation } from './context.ts';
import { openEnvironment } from './environment.ts';
import { usageError } from './errors.ts';

/** Options that say which secrets a revocation is about. */
export interface SelectionFlags {
  readonly tag?: { readonly key: string; readonly value: string };
  readonly namePrefix?: string;
  readonly owner?: string;
  readonly consumer?: string;
  readonly principal?: string;
  readonly value?: boolean;
  /** File with the report of a scanner, of whose values the secrets are meant. */
  readonly fromScan?: string;
  readonly everything?: boolean;
}

/** Tells whether the options ask for what only a plan can say. */
export const asksForPlan = (
  flags: SelectionFlags & { readonly chain?: boolean; readonly plan?: boolean; readonly members?: unknown },
): boolean =>
  flags.chain === true || flags.plan === true || flags.members !== undefined || waysOf(flags).length > 0;

/** Lists the ways of selecting that were given, as they are written. */
const waysOf = (flags: SelectionFlags): readonly string[] =>
  Object.entries({
    '--tag': flags.tag,
    '--name-prefix': flags.namePrefix,
    '--owner': flags.owner,
    '--consumer': flags.consumer,
    '--principal': flags.principal,
    '--value': flags.value,
    '--from-scan': flags.fromScan,
    '--everything': flags.everything,
  }).flatMap(([option, given]) => (given === undefined ? [] : [option]));

/**
 * Makes the selection that names or options stand for.
 * @throws CliError `UsageInvalid` where there is none, or more than one
 */
export async function selectionOf(
  invocation: Invocation,
  names: readonly string[],
  flags: SelectionFlags,
): Promise<Selection> {
  const ways = [...(names.length > 0 ? ['names'] : []), ...waysOf(flags)];
  if (ways.length !== 1) {
    throw usageError(
      'UsageInvalid',
      ways.length === 0
        ? 'name the secrets, or select them by one of --tag, --name-prefix, --owner, --consumer, --principal, --value, --from-scan, --everything'
        : `${ways.join(' and ')} were given; choose one way to select`,
    );
  }
  if (names.length > mostNamedSecrets) {
    throw usageError(
      'UsageInvalid',
      `${names.length} secrets were named, and ${mostNamedSecrets} go into one request; select them by --tag, --owner or --name-prefix`,
    );
  }
  const selection = await wayOf(invocation, names, flags);
  const { success, data } = selectionSchema.safeParse(selection);
  if (success) return data;
  throw usageError(
    'UsageInvalid',
    'principal' in selection
      ? `--principal must be the ARN of an IAM role or user, such as arn:aws:iam::111122223333:role/worker, and not ${JSON.stringify(selection.principal)}`
      : `what ${ways[0]} selects by must not be empty, nor longer than AWS takes`,
  );
}

async function wayOf(
  invocation: Invocation,
  names: readonly string[],
  { tag, namePrefix, owner, consumer, principal, value, fromScan }: SelectionFlags,
): Promise<Selection> {
  const [name, ...others] = names;
  if (name !== undefined) {
    return others.length === 0 ? { secret: name } : { secrets: names.map((secret) => ({ secret })) };
  }
  if (tag !== undefined) return { tag };
  if (namePrefix !== undefined) return { namePrefix };
  if (owner !== undefined) return { owner };
  if (consumer !== undefined) return { consumer };
  if (principal !== undefined) return { principal };
  if (value === true || fromScan !== undefined) {
    return await (await import('./commands/whose.ts')).secretsWithValue(invocation, fromScan);
  }
  return { environment: (await openEnvironment(invocation)).name };
}
