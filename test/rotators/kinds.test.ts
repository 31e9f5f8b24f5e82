import { expect, test } from '@jest/globals';
import type { Rotator } from '../../core/rotator.ts';
import type { SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { registry, rotatedTypes } from '../../rotators/registry.ts';
import { loadRotator } from '../load-rotator.ts';

test.each(rotatedTypes)('%s: the kind of its rotator is what its descriptor says', async (type) => {
  const { kind, ...rotator } = (await loadRotator(type)) as Rotator<object>;
  const { strategies, issued }: SecretTypeDescriptor = registry[type];
  expect({ type: rotator.type, strategies: rotator.strategies }).toEqual({ type, strategies });
  expect(kind === 'issuing').toBe(issued === true);
  expect(kind === 'replacing').toBe(!strategies.includes('dual-credential'));
});
