import { PlainNotificationMemory } from './memory.ts';
import { memoryContract } from './memory-contract.ts';

memoryContract(() => new PlainNotificationMemory());
