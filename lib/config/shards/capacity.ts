import { functionId, functionKeyOf } from '../function-key.ts';
import type { EnvironmentConfiguration, SecretConfiguration } from '../schema.ts';
import { secretName } from '../secret-rules.ts';

/** The room that a secret takes in its rotation stack. */
export interface Demand {
  /** Full name of the secret. */
  readonly name: string;
  /** Tells whether an adopted secret rotates as soon as it is first deployed. Missing for a secret that Rekey creates. */
  readonly adopted?: 'rotates' | 'waits';
  /** Id of the functions that it shares with others. */
  readonly functions: string;
  readonly resources: number;
  /** Characters of the template. */
  readonly templateSize: number;
  /** Characters that it adds to the policies of a function's role, whichever of the two gets more. */
  readonly policySize: number;
  /** Characters that it adds to the policies of what starts first rotations. */
  readonly startSize: number;
  /** Characters of policies that it shares with others, by the admin secret or resource that they are for. */
  readonly shared: ReadonlyMap<string, number>;
}

/** The room that a rotation stack has. */
export interface Capacity {
  readonly resources: number;
  readonly templateSize: number;
  /** Characters of each role's policies: its own and ten managed ones. */
  readonly policySize: number;
}

/**
 * Limits of CloudFormation and IAM, less the possible errors of the estimates below.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export const hardCapacity: Capacity = { resources: 495, templateSize: 950_000, policySize: 52_000 };

/** Up to here a stack takes new secrets; the rest is for changes of those that it has. */
export const comfortableCapacity: Capacity = {
  resources: 456,
  templateSize: 850_000,
  policySize: 44_000,
};

/**
 * Resources that a stack has before its first secret. Each pair of functions adds those below; the largest pair has a function
 * that ends sessions.
 */
const stackResources = 9;
const pairResources = 21;
const pairTemplateSize = 22_000;
/** Characters of policies after which each of the two functions gets a further policy, which is a resource. */
const policyPage = 4_500;

/** Most characters that precede and follow the name of a secret in its ARN. */
const arnFrame = 80;

/** Estimates what each secret of an environment takes of its stack, never too little. */
export function demandsOf(environment: string, configuration: EnvironmentConfiguration): Demand[] {
  return Object.values(configuration.secrets).map((secret) => demandOf(secret, environment, configuration));
}

function demandOf(
  secret: SecretConfiguration,
  environment: string,
  configuration: EnvironmentConfiguration,
): Demand {
  const name = secretName(environment, secret);
  const shared = new Map(secret.resources.map((arn) => [arn, 2 * (arn.length + 3)]));
  const admin = adminName(secret, environment, configuration);
  if (admin !== undefined) {
    // The ARN, and again with its key.
    shared.set(admin, 2 * (arnFrame + admin.length));
  }
  const sharedSize = [...shared.values()].reduce((sum, size) => sum + size, 0);
  const created = secret.create !== undefined;
  const rotatesOnDeploy = created || secret.rotateOnDeploy === true;
  const hasKey = created || secret.encryptionKey !== undefined;
  const arn = arnFrame + name.length;
  return {
    name,
    ...(!created && { adopted: secret.rotateOnDeploy ? 'rotates' : 'waits' }),
    functions: functionId(functionKeyOf(secret, environment, configuration)),
    // The entry and its policy, if created; the schedule, the definition, and what starts the first rotation.
    resources: (created ? 4 : 2) + (rotatesOnDeploy ? 1 : 0),
    templateSize:
      (created ? 4_000 : 2_500) +
      12 * name.length +
      2 * sharedSize +
      2 * JSON.stringify([secret.create?.fields, secret.consumers, secret.owner, secret.purpose]).length,
    // The secret, with its key, to be rotated; of a created one also the definition and its note, and of one that may have
    // been created once the definition.
    policySize: (created ? 5 : (hasKey ? 3 : 2) + (name.startsWith(`/${environment}/`) ? 1 : 0)) * arn + 20,
    startSize: rotatesOnDeploy ? arn + 3 : 0,
    shared,
  };
}

function adminName(
  { adminSecret }: SecretConfiguration,
  environment: string,
  { secrets }: EnvironmentConfiguration,
): string | undefined {
  const admin =
    adminSecret !== undefined && 'secret' in adminSecret ? secrets[adminSecret.secret] : adminSecret;
  return admin === undefined ? undefined : secretName(environment, admin);
}

/** The policies of the functions of one pair. */
class PairLoad {
  readonly shared = new Set<string>();
  policySize = 0;

  with({ policySize, shared }: Demand): number {
    const added = [...shared].reduce((sum, [what, size]) => sum + (this.shared.has(what) ? 0 : size), 0);
    return this.policySize + policySize + added;
  }

  add(demand: Demand): void {
    this.policySize = this.with(demand);
    for (const what of demand.shared.keys()) {
      this.shared.add(what);
    }
  }
}

/** The content of a stack that holds the secrets which were added. */
export class Load {
  readonly #pairs = new Map<string, PairLoad>();
  #resources = stackResources;
  #templateSize = 20_000;
  #startSize = 0;

  add(demand: Demand): void {
    const pair = this.#pairs.get(demand.functions) ?? new PairLoad();
    if (!this.#pairs.has(demand.functions)) {
      this.#pairs.set(demand.functions, pair);
      this.#resources += pairResources;
      this.#templateSize += pairTemplateSize;
    }
    pair.add(demand);
    this.#startSize += demand.startSize;
    this.#resources += demand.resources;
    this.#templateSize += demand.templateSize;
  }

  /** Tells whether secrets of these functions are in the stack. */
  has(functions: string): boolean {
    return this.#pairs.has(functions);
  }

  /** Tells whether another secret fits. */
  takes(demand: Demand, capacity: Capacity): boolean {
    const known = this.#pairs.get(demand.functions);
    const added = known === undefined ? 1 : 0;
    return isWithin(capacity, {
      resources: this.resources + demand.resources + added * pairResources + 3,
      templateSize: this.#templateSize + demand.templateSize + added * pairTemplateSize,
      policySize: Math.max((known ?? new PairLoad()).with(demand), this.#startSize + demand.startSize),
    });
  }

  /** Tells whether what is in the stack fits. */
  fits(capacity: Capacity): boolean {
    return isWithin(capacity, this);
  }

  get resources(): number {
    const pages = [...this.#pairs.values()].map(({ policySize }) => 2 * Math.ceil(policySize / policyPage));
    return pages.reduce(
      (sum, count) => sum + count,
      this.#resources + Math.ceil(this.#startSize / policyPage),
    );
  }

  get templateSize(): number {
    return this.#templateSize;
  }

  get policySize(): number {
    return Math.max(this.#startSize, ...[...this.#pairs.values()].map(({ policySize }) => policySize));
  }
}

const isWithin = (capacity: Capacity, load: Capacity): boolean =>
  load.resources <= capacity.resources &&
  load.templateSize <= capacity.templateSize &&
  load.policySize <= capacity.policySize;
