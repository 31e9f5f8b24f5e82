import type { Field } from '../../lib/config/changes.ts';
import type { Application, EnvironmentInput, Place } from './settings.ts';

/** A change of the configuration, and what becomes of it. */
export interface Transition {
  readonly name: string;
  /** The fields of the configuration that it changes. */
  readonly fields: readonly Field[];
  /** The secret that it is about; two of one secret are not deployed together. @default - none, or all */
  readonly secret?: Application | 'token';
  /** The configuration afterwards; `undefined` where it cannot be made from this one. */
  apply(environment: EnvironmentInput, place: Place): EnvironmentInput | undefined;
  /** Whether the next rotation of a secret shall show it in the JSON. */
  readonly shows?: (secret: string, json: Readonly<Record<string, unknown>>) => boolean;
}

/** The key under which the orders stand after they got another one. */
export const otherKey = 'purchases';

export function without<T extends object, K extends keyof T>(value: T, key: K): Omit<T, K> {
  const { [key]: _, ...rest } = value;
  return rest;
}
