import { usualStepSeconds } from '../core/deployed/limits.ts';
import type { SecretTypeDescriptor } from './descriptor.ts';
import * as types from './types.ts';

/** Secret types by their names. */
export const registry = { ...types } as const satisfies Record<string, SecretTypeDescriptor>;

/** Name of a secret type, as a configuration gives it. */
export type SecretType = keyof typeof registry;
export const secretTypes = Object.keys(registry) as readonly SecretType[];

/** Gives the seconds that a step of a type may take. */
export const stepSecondsOf = (type: SecretType): number =>
  (registry[type] as SecretTypeDescriptor).stepSeconds ?? usualStepSeconds;

type With<Flag extends string> = {
  [Type in SecretType]: (typeof registry)[Type] extends Record<Flag, true> ? Type : never;
}[SecretType];

/** A type whose secrets a rotation function of Rekey's rotates. */
export type RotatedType = Exclude<SecretType, With<'foreignFunction'>>;
export const isRotated = (type: SecretType): type is RotatedType => !('foreignFunction' in registry[type]);
export const rotatedTypes: readonly RotatedType[] = secretTypes.filter(isRotated);

/** Tells whether nothing within Rekey's reach accepts or refuses the secrets of a definition's type. */
export const isUnverifiable = (type: string): boolean =>
  secretTypes.some((known) => known === type && 'unverifiable' in registry[known]);

/** A type whose credentials a target accepts or refuses. */
export type TargetType = Exclude<SecretType, With<'unverifiable'>>;
export const targetTypes: readonly TargetType[] = secretTypes.filter(
  (type): type is TargetType => !('unverifiable' in registry[type]),
);
