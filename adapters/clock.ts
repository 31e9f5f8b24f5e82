import type { Clock } from '../core/ports.ts';

/** The system's clock. */
export const systemClock: Clock = { now: () => new Date() };
