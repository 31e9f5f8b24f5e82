import { describe } from '@jest/globals';
import { PlainTrailMemory } from './memory.ts';
import { trailMemoryContract } from './memory-contract.ts';

describe('the memory of the tests', () => {
  const memory = new PlainTrailMemory();
  trailMemoryContract(() => memory);
});
