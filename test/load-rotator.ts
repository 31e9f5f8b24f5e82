import type { Revoker } from '../core/rotator.ts';
import type { SecretType } from '../rotators/registry.ts';

/**
 * Loads the rotator of a type with its driver, or its revoker where that is all. Tests and measurements call this; a deployed
 * function carries the rotator of its own type alone.
 */
export async function loadRotator(type: SecretType): Promise<Revoker<object>> {
  const { rotator }: { rotator: Revoker<object> } = await import(`../rotators/${type}/rotator.ts`);
  return rotator;
}
