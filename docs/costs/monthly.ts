import { type PriceName, prices } from './prices.ts';
import { billing, type Properties } from './resources.ts';

/** The part of a template that is read here. */
export interface PricedTemplate {
  readonly Resources?: Readonly<Record<string, { readonly Type: string; readonly Properties?: Properties }>>;
}

/** The costs of a month under one price. */
export interface Cost {
  readonly price: PriceName;
  readonly units: number;
  readonly usd: number;
}

/** The amount of work in a month. */
export interface Usage {
  readonly rotations: number;
  readonly revocations: number;
}

/**
 * Adds up what the resources of templates cost in a month by being there.
 * @throws Error that names a resource type without an entry in `resources.ts`
 */
export function standingCosts(templates: readonly PricedTemplate[]): Cost[] {
  const units = new Map<PriceName, number>();
  for (const [id, { Type, Properties = {} }] of templates.flatMap(({ Resources = {} }) =>
    Object.entries(Resources),
  )) {
    const entry = billing[Type];
    if (entry === undefined) {
      throw new Error(
        `${id} is of type ${Type}, which docs/costs/resources.ts does not price; add what it costs, or why it is free`,
      );
    }
    for (const charge of 'free' in entry ? [] : entry.charges(Properties)) {
      units.set(charge.price, (units.get(charge.price) ?? 0) + charge.units);
    }
  }
  return [...units].map(([price, count]) => cost(price, count));
}

/**
 * Estimates the costs of a month of work. Assumed, not measured on AWS. Per rotation: 10 calls to Secrets Manager, 10 requests
 * to KMS, 2 events, and 6 invocations of 512 MiB and one second, each with a cold start. Per revocation: 10 transitions.
 */
export function usageCosts({ rotations, revocations }: Usage): Cost[] {
  const gigabytes = 1e-6;
  const storedMonths = 1;
  return [
    cost('secretCalls', rotations * 10),
    cost('lambdaGigabyteSeconds', rotations * 6 * 0.5),
    cost('lambdaRequests', rotations * 6),
    cost('customEvents', rotations * 2),
    // An idle queue is polled all the time by five pollers that wait 20 seconds each.
    cost('fifoRequests', rotations * 6 + idlePolls),
    cost('keyRequests', rotations * 10 + 20_000),
    // Two records each, and ten listings that find the end of the log.
    cost('objectPuts', rotations * (2 + 10)),
    cost('objectGets', rotations * 100),
    cost('objectStorage', rotations * 3 * gigabytes * storedMonths),
    cost('customMetric', 3),
    cost('logIngestion', rotations * 12 * gigabytes),
    cost('logStorage', rotations * 12 * gigabytes),
    cost('traces', rotations * 6),
    cost('transitions', revocations * 10),
  ];
}

const idlePolls = 648_000;

const cost = (price: PriceName, units: number): Cost => ({ price, units, usd: units * prices[price].usd });

export const total = (costs: readonly Cost[]): number => costs.reduce((sum, { usd }) => sum + usd, 0);
