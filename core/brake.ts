import * as z from 'zod';

/**
 * The automatic brake of a rotation function: what is remembered of its rotations, and what follows from it.
 *
 * Two faults of one function reach all of its secrets, and this stops both. New code lets one rotation through, the canary, and
 * the others only after it. Failures of several secrets in a row end all beginnings until a person or a deploy says otherwise.
 * Secrets are counted, not failures: one whose own target is broken counts once, however often it is tried, and so never stops
 * the others.
 */
const brakeStateSchema = z.object({
  /** Text for the code and configuration of the function that the rest is about. */
  code: z.string().min(1),
  /** The function's name in Lambda, by which a person finds the secrets. */
  functionName: z.string().min(1),
  /** True if a rotation that this code began has succeeded. */
  proven: z.boolean(),
  /** The rotation that goes first, while it is not finished. */
  canary: z.object({ secret: z.string(), token: z.string(), until: z.iso.datetime() }).optional(),
  /** The secrets that failed since the last success, each once. */
  failed: z.array(z.string()),
  /** Time at which the first of them failed. */
  failedSince: z.iso.datetime().optional(),
  /** Time at which the brake was engaged; no rotation begins since then. */
  brakedAt: z.iso.datetime().optional(),
});
export type BrakeState = z.output<typeof brakeStateSchema>;

/** Reads what is stored. A state that cannot be read is left aside, so that rotations go on. */
export function parseBrakeState(text: string): BrakeState | undefined {
  try {
    return brakeStateSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Holds the state of one function's brake; each replacement is a new version. */
export interface BrakeStore {
  read(): Promise<{ readonly version: number; readonly state: BrakeState | undefined }>;
  /**
   * Puts a state in the place of the version that was read.
   * @returns false when somebody else was faster
   */
  replace(version: number, state: BrakeState): Promise<boolean>;
}

/** The settings of a function's brake, which the function brings itself. */
export interface BrakeRules {
  readonly functionName: string;
  /** Text that changes whenever the function's code or configuration changes. */
  readonly code: string;
  /** Number of different secrets, failing in a row, that engages the brake. */
  readonly after: number;
  /** Time after which a canary that has not ended is taken for dead. */
  readonly leaseMs: number;
}

/** One rotation: the secret's ARN and the id of the version that it makes. */
export interface BrakedRotation {
  readonly secretArn: string;
  readonly token: string;
  /** Time at which it began; missing in a step that was repeated. */
  readonly began?: Date;
}

/** The answer to whether a rotation may begin; `next` is to be stored first. */
export type BrakeVerdict =
  | { readonly may: 'begin'; readonly next?: BrakeState }
  | { readonly may: 'wait'; readonly canary: string; readonly next?: undefined }
  | { readonly may: 'not begin'; readonly state: BrakeState; readonly next?: BrakeState };

/** The longest text by which a secret is remembered: ten of them fit into a parameter of 4 KiB. */
const longestName = 300;

/** Gives the secret's name with the suffix of its ARN, cut to its end, where names differ. */
const nameOf = (secretArn: string): string => secretArn.split(':').slice(6).join(':').slice(-longestName);

/** Makes the state of a function after a deploy, or when no state is known. */
const fresh = ({ code, functionName }: BrakeRules): BrakeState => ({
  code,
  functionName,
  proven: false,
  failed: [],
});

/** Decides whether a rotation may begin, and whether as the canary. */
export function beginRotation(
  state: BrakeState | undefined,
  { secretArn, token }: BrakedRotation,
  rules: BrakeRules,
  now: Date,
): BrakeVerdict {
  const own = state?.code === rules.code ? state : fresh(rules);
  if (own.brakedAt !== undefined) return { may: 'not begin', state: own };
  if (own.proven) return { may: 'begin' };
  const { canary, ...rest } = own;
  const running = canary !== undefined && new Date(canary.until).getTime() > now.getTime();
  if (running) return canary.token === token ? { may: 'begin' } : { may: 'wait', canary: canary.secret };
  // One that vanished has failed: it was ended from outside, or hangs.
  const after =
    canary === undefined || canary.token === token ? rest : withFailure(rest, canary.secret, rules, now);
  if (after.brakedAt !== undefined) return { may: 'not begin', state: after, next: after };
  const until = new Date(now.getTime() + rules.leaseMs).toISOString();
  return { may: 'begin', next: { ...after, canary: { secret: nameOf(secretArn), token, until } } };
}

/**
 * Works out the state after a failed step.
 * @param counts - false where the same rotation may still succeed by itself; the next canary's turn comes in any case
 * @returns undefined when nothing changes
 */
export function afterFailure(
  state: BrakeState | undefined,
  { secretArn, token }: BrakedRotation,
  { counts, rules, now }: { readonly counts: boolean; readonly rules: BrakeRules; readonly now: Date },
): BrakeState | undefined {
  if (state === undefined || state.code !== rules.code) return undefined;
  const { canary, ...rest } = state;
  const ended = canary?.token === token;
  const kept = ended ? rest : state;
  const next = counts ? withFailure(kept, nameOf(secretArn), rules, now) : kept;
  return ended || next !== kept ? next : undefined;
}

/**
 * Works out the state after a success. It proves the code where it was the canary's. It ends the row of failures where it
 * began after the first of them; what began before says nothing of what has broken since. An engaged brake stays.
 * @returns undefined when nothing changes
 */
export function afterSuccess(
  state: BrakeState | undefined,
  { token, began }: BrakedRotation,
  { code }: BrakeRules,
): BrakeState | undefined {
  if (state === undefined || state.code !== code || state.brakedAt !== undefined) return undefined;
  const { canary, failedSince, ...rest } = state;
  if (canary?.token === token) return { ...rest, proven: true, failed: [] };
  if (!state.proven || state.failed.length === 0) return undefined;
  if (failedSince !== undefined && (began === undefined || began < new Date(failedSince))) return undefined;
  return { ...rest, failed: [] };
}

/** Releases the brake: the next rotation is a canary, which decides about the others. A canary that still runs stays it. */
export function release({ code, functionName, canary }: BrakeState): BrakeState {
  return { code, functionName, proven: false, ...(canary !== undefined && { canary }), failed: [] };
}

/** Tells whether a success of a rotation that begins now would change anything. */
export const awaitsSuccess = (state: BrakeState | undefined, { code }: BrakeRules): boolean =>
  state?.code !== code || !state.proven || state.failed.length > 0;

function withFailure(state: BrakeState, secret: string, { after }: BrakeRules, now: Date): BrakeState {
  if (state.failed.includes(secret) || state.brakedAt !== undefined) return state;
  const failed = [...state.failed, secret];
  const at = now.toISOString();
  return {
    ...state,
    failedSince: state.failedSince ?? at,
    failed,
    ...(failed.length >= after && { brakedAt: at }),
  };
}
