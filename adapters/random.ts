import { randomBytes, randomInt } from 'node:crypto';
import type { Random } from '../core/ports.ts';

/** Randomness from the operating system. */
export const systemRandom: Random = {
  bytes: (length) => randomBytes(length),
  integer: (limit) => randomInt(limit),
};
