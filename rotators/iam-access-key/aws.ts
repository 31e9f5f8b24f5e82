import { IAMClient, type IAMClientConfig } from '@aws-sdk/client-iam';
import { STSClient } from '@aws-sdk/client-sts';
import { runLivesMs, type TargetContext } from '../../core/rotator.ts';
import { callError, type Purpose } from './errors.ts';
import type { AccessKeyPair } from './schema.ts';

/** The request to end a user's sessions up to a moment. */
export interface Cutoff {
  readonly username: string;
  readonly accessKeyId: string;
  /** Sessions that began earlier are denied everything. */
  readonly before: Date;
  /** Leaves alone a time that is there for this key. */
  readonly unlessKnown: boolean;
}

/** Ends sessions, and answers since when they are let in. Undefined when there is no such user. */
export type SessionCutoff = (cutoff: Cutoff, context: TargetContext) => Promise<Date | undefined>;

/** The options of how the type reaches AWS. All of them have defaults. */
export interface IamAccessKeyOptions {
  /** Settings of both clients; by default the SDK's own, from the environment of the function. */
  readonly aws?: Pick<IAMClientConfig, 'endpoint' | 'region' | 'credentials' | 'requestHandler'>;
  /** Longest time for which STS may lag behind what IAM did to a key, in milliseconds. Default: 22 seconds. */
  readonly patienceMs?: number;
  /** Time for which a run that may store a key is taken to be alive, in milliseconds. Default: {@link runLivesMs}. */
  readonly runLivesMs?: number;
  /** Ends sessions, in the containment function. Default: none, and a containment fails after it deactivated the key. */
  readonly cutoff?: SessionCutoff;
}

/** The clients of IAM and STS, as one environment of a function uses them. Each is made when it is first needed, once. */
export class Aws {
  readonly patienceMs: number;
  readonly runLivesMs: number;
  readonly #config: NonNullable<IamAccessKeyOptions['aws']>;
  /** The account of the function's role, once it is known. */
  ownAccount: string | undefined;
  #iam: IAMClient | undefined;
  #issuing: IAMClient | undefined;

  constructor(options: IamAccessKeyOptions) {
    this.#config = options.aws ?? {};
    this.patienceMs = options.patienceMs ?? 22_000;
    this.runLivesMs = options.runLivesMs ?? runLivesMs;
  }

  /** Client of IAM, which has one endpoint for all regions of a partition. The SDK derives it from the function's region. */
  get iam(): IAMClient {
    this.#iam ??= new IAMClient({ ...this.#config, maxAttempts: 3 });
    return this.#iam;
  }

  /** Client that never tries again by itself: a key whose answer was lost would be made twice. */
  get issuing(): IAMClient {
    this.#issuing ??= new IAMClient({ ...this.#config, maxAttempts: 1 });
    return this.#issuing;
  }

  /**
   * Makes a client of STS in the function's region, with an access key or, by default, the function's own role. The caller
   * destroys it.
   * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
   */
  sts(credentials?: AccessKeyPair): STSClient {
    return new STSClient({ ...this.#config, ...(credentials && { credentials }), maxAttempts: 2 });
  }
}

/** Gives a call what it needs to end in time. */
export const within = ({ connectTimeoutMs, statementTimeoutMs }: TargetContext) => ({
  abortSignal: AbortSignal.timeout(connectTimeoutMs + statementTimeoutMs),
});

/**
 * Waits for a call.
 * @throws TargetError
 */
export async function answered<T>(call: Promise<T>, purpose: Purpose): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw callError(error, purpose);
  }
}
