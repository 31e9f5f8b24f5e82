import { ConfigurationError } from '../config.ts';
import { comfortableCapacity, type Demand, hardCapacity, Load } from './capacity.ts';

/** Says which rotation stack each secret of an environment is in. */
export interface ShardAssignment {
  /** Number of rotation stacks. It never falls, so that a stack without secrets is still deployed and emptied. */
  readonly stacks: number;
  /**
   * Number of the stack by the secret's full name. It keeps secrets that the configuration no longer names: they may still be
   * in their stack, and one that comes back finds its place.
   */
  readonly secrets: Readonly<Record<string, number>>;
}

/** Names the part of a rotation stack; the first one has no number. */
export const rotationStackPart = (shard: number): string => (shard === 0 ? 'rotation' : `rotation-${shard}`);

/** Options of {@link assignShards}. */
export interface AssignmentOptions {
  /** Name of the environment, for errors. */
  readonly environment: string;
  /** Assignment that is recorded of earlier deployments. @default - none */
  readonly recorded?: ShardAssignment | undefined;
  /** Says that nothing of the environment is deployed, so that any assignment is right. @default false */
  readonly nothingDeployed?: boolean;
}

/**
 * Assigns the secrets of an environment to its rotation stacks.
 *
 * A secret that is recorded stays where it is, also if it was taken out meanwhile. CloudFormation would create it in its new
 * stack before it is gone from the old one. Deleting the old schedule would then end the rotation of both. A new one goes where
 * its functions are already, if there is room, else where there is room, else into a new stack.
 *
 * @throws ConfigurationError when it cannot be known where the secrets are, or a stack is full
 */
export function assignShards(demands: readonly Demand[], options: AssignmentOptions): ShardAssignment {
  const { environment, recorded, nothingDeployed = false } = options;
  const loads = Array.from({ length: Math.max(1, recorded?.stacks ?? 1) }, () => new Load());
  const secrets = new Map<string, number>();
  const place = (demand: Demand, shard: number) => {
    loads[shard]?.add(demand);
    secrets.set(demand.name, shard);
  };
  const known = recorded?.secrets ?? {};
  const byName = demands.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  for (const demand of byName) {
    const shard = Object.hasOwn(known, demand.name) ? known[demand.name] : undefined;
    if (shard !== undefined) {
      place(demand, shard);
    }
  }
  loads.forEach((load, shard) => {
    checkFits(load, environment, shard);
  });
  // Those of the same functions one after the other: where many come at once, few stacks need the same functions.
  const added = byName
    .filter(({ name }) => !secrets.has(name))
    .toSorted((one, other) =>
      one.functions < other.functions ? -1 : one.functions > other.functions ? 1 : 0,
    );
  for (const demand of added) {
    place(demand, roomFor(demand, loads));
  }
  if (recorded === undefined && loads.length > 1 && !nothingDeployed) {
    throw new ConfigurationError(
      `environment ${environment}: its ${demands.length} secrets need ${loads.length} rotation stacks, and nothing is recorded of which is where. ` +
        'If it was deployed before, restore rekey.shards.json from version control; if there never was one, synthesize the deployed configuration once, which writes it. ' +
        'If nothing of it is deployed, synthesize once with -c deployed=nothing and commit the file',
    );
  }
  return {
    stacks: loads.length,
    secrets: Object.fromEntries(
      [...new Map([...Object.entries(known), ...secrets])].toSorted(([one], [other]) =>
        one < other ? -1 : 1,
      ),
    ),
  };
}

/** Finds the stack for a new secret; makes a new one where none has room. */
function roomFor(demand: Demand, loads: Load[]): number {
  const free = loads.flatMap((load, shard) => (load.takes(demand, comfortableCapacity) ? [shard] : []));
  const shard = free.find((candidate) => loads[candidate]?.has(demand.functions)) ?? free[0];
  if (shard !== undefined) {
    return shard;
  }
  loads.push(new Load());
  return loads.length - 1;
}

function checkFits(load: Load, environment: string, shard: number): void {
  if (!load.fits(hardCapacity)) {
    throw new ConfigurationError(
      `environment ${environment}: the secrets that are recorded for the stack rekey-${environment}-${rotationStackPart(shard)} no longer fit into it: ` +
        `${load.resources} resources of ${hardCapacity.resources}, ${load.templateSize} characters of ${hardCapacity.templateSize}, ` +
        `${load.policySize} characters of policies of ${hardCapacity.policySize}. Give fewer of them functions of their own ` +
        '(type, strategy, network, trust, resources), or take some out, deploy, take their lines out of rekey.shards.json, and adopt them again',
    );
  }
}
