import {
  DeleteParameterCommand,
  PutParameterCommand,
  paginateGetParametersByPath,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import { type BrakeState, type BrakeStore, parseBrakeState } from '../core/brake.ts';
import { brakesPath } from '../core/deployed/names.ts';
import type { Brakes, KnownBrake } from '../core/operator-ports.ts';
import { awsError } from './aws-error.ts';

/** Answers of Systems Manager to whoever comes second. */
const lost: ReadonlySet<string> = new Set(['ParameterAlreadyExists', 'TooManyUpdates']);

/** Number of versions that are kept, so that all fit on one page of an answer. */
const kept = 5;

/**
 * The state of one function's brake in SSM. Each version is a parameter, named by its number, and the highest counts.
 *
 * Systems Manager overwrites without asking what was there, but creates a parameter once: as in the audit log, the next number
 * is a compare-and-swap. A number could be taken twice only after it was deleted, and then the highest one is far ahead, which
 * is looked for.
 * @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html `Overwrite`
 */
export class SsmBrakeStore implements BrakeStore {
  readonly #client: SSMClient;
  readonly #path: string;

  constructor(client: SSMClient, path: string) {
    this.#client = client;
    this.#path = path;
  }

  async read() {
    const versions = await this.#versions();
    const version = Math.max(0, ...versions.keys());
    return { version, state: parseBrakeState(versions.get(version) ?? '') };
  }

  async replace(version: number, state: BrakeState): Promise<boolean> {
    const mine = version + 1;
    const put = { Name: `${this.#path}/${mine}`, Value: JSON.stringify(state), Type: 'String' } as const;
    try {
      await this.#client.send(new PutParameterCommand({ ...put, Overwrite: false }));
    } catch (error) {
      if (error instanceof Error && lost.has(error.name)) return false;
      throw awsError(error, { service: 'Systems Manager', action: 'ssm:PutParameter', on: put.Name });
    }
    const numbers = [...(await this.#versions()).keys()];
    const highest = Math.max(mine, ...numbers);
    for (const number of numbers.filter((one) => one <= highest - kept)) {
      const old = { Name: `${this.#path}/${number}` };
      // What stays is taken away with the next one.
      await this.#client.send(new DeleteParameterCommand(old)).catch(() => undefined);
    }
    return highest < mine + kept;
  }

  async #versions(): Promise<ReadonlyMap<number, string>> {
    const found = await below(this.#client, this.#path);
    return new Map(
      found.flatMap(({ name, value }) => (isVersion(name) ? [[Number(name), value] as const] : [])),
    );
  }
}

/** The brakes of all functions of an environment, for operators. */
export class SsmBrakes implements Brakes {
  readonly #client: SSMClient;
  readonly #path: string;

  constructor(client: SSMClient, environment: string) {
    this.#client = client;
    this.#path = brakesPath(environment);
  }

  async list(): Promise<readonly KnownBrake[]> {
    const newest = new Map<string, { readonly version: number; readonly value: string }>();
    for (const { name, value } of await below(this.#client, this.#path)) {
      const [brake = '', number = ''] = name.split('/');
      const version = isVersion(number) ? Number(number) : 0;
      if (version > (newest.get(brake)?.version ?? 0)) newest.set(brake, { version, value });
    }
    return [...newest].flatMap(([name, { value }]) => {
      const state = parseBrakeState(value);
      return state === undefined ? [] : [{ name, state }];
    });
  }

  open(name: string): BrakeStore {
    return new SsmBrakeStore(this.#client, `${this.#path}/${name}`);
  }
}

/** Tells whether a name is a number that can be counted on from. Others may write here, too. */
const isVersion = (name: string): boolean => /^[1-9]\d{0,11}$/.test(name);

/** Reads all parameters below a path; each name is what follows the path. */
async function below(client: SSMClient, path: string) {
  const found: { readonly name: string; readonly value: string }[] = [];
  try {
    const pages = paginateGetParametersByPath({ client }, { Path: path, Recursive: true });
    for await (const { Parameters = [] } of pages) {
      for (const { Name = '', Value = '' } of Parameters) {
        found.push({ name: Name.slice(path.length + 1), value: Value });
      }
    }
  } catch (error) {
    throw awsError(error, { service: 'Systems Manager', action: 'ssm:GetParametersByPath', on: path });
  }
  return found;
}
