import { randomBytes, randomInt } from 'node:crypto';
import type { Clock, Random } from '../core/ports.ts';

/** The system's clock. */
export const systemClock: Clock = { now: () => new Date() };

/** Randomness from the operating system. */
export const systemRandom: Random = {
  bytes: (length) => randomBytes(length),
  integer: (limit) => randomInt(limit),
};
