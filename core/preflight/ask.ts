import type { ErrorCode } from '../errors/codes.ts';
import { summarizeError } from '../errors/rekey-error.ts';
import { type Answer, answered, type Gap, unanswered } from './facts.ts';

/** Codes of what is wrong with the caller as a whole, so that every call would fail. */
const fatal: readonly ErrorCode[] = [
  'CredentialsMissing',
  'CredentialsExpired',
  'CredentialsInvalid',
  'RegionMissing',
  'ClockWrong',
  'EndpointUntrusted',
];

const denied: readonly ErrorCode[] = ['AccessDenied', 'SecretAccessDenied'];

/** Says why a call was not answered. The adapters' errors name the action. */
export function gapOf(error: unknown): Gap {
  const { code, message } = summarizeError(error);
  const [permission] = /\b[a-z0-9-]+:[A-Z][A-Za-z]+\b/.exec(message) ?? [];
  if (!denied.includes(code) || permission === undefined) return { code, message };
  const [, policy] = / is denied[^(]*\(([^)]*)\)/.exec(message) ?? [];
  return {
    code,
    permission,
    message: `${permission} is denied to this caller${policy === undefined ? '' : ` (${policy})`}`,
  };
}

/**
 * Awaits an answer, and takes a failure for one that is missing.
 * @throws the failure itself where it is the caller's as a whole, such as credentials that have expired
 */
export async function ask<T>(call: () => Promise<T>): Promise<Answer<T>> {
  try {
    return answered(await call());
  } catch (error) {
    const gap = gapOf(error);
    if (fatal.includes(gap.code as ErrorCode)) throw error;
    return unanswered(gap);
  }
}

/** Makes a gate that lets so many calls run at once. */
export function gate(atOnce: number): <T>(call: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (call) => {
    if (running >= atOnce) await new Promise<void>((go) => waiting.push(go));
    else running += 1;
    try {
      return await call();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

/** Keeps the answer of the first call with a key, so that each thing is asked once. */
export function remembered<T>(): (key: string, call: () => Promise<T>) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (key, call) => {
    const before = answers.get(key);
    if (before !== undefined) return before;
    const answer = call();
    answers.set(key, answer);
    return answer;
  };
}
