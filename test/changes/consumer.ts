import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from './world.ts';

/** A workload that reads a secret over and over and logs in with what it reads. */
export interface Consumer {
  /** Ends it. @returns what went wrong meanwhile, and how often it logged in */
  stop(): Promise<{ readonly failures: readonly string[]; readonly logins: number }>;
}

/** Starts a consumer for each secret; `names` are those whose JSON is a login. */
export function startConsumer(world: World, names: readonly string[]): Consumer {
  let running = true;
  let logins = 0;
  const failures: string[] = [];
  const consume = async () => {
    while (running) {
      for (const name of names) {
        try {
          const { value } = await world.standing(name);
          if (await world.accepts(value)) logins += 1;
          else failures.push(`${name}: the database refused the current version`);
        } catch (error) {
          failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      await sleep(300);
    }
  };
  const consuming = consume();
  return {
    async stop() {
      running = false;
      await consuming;
      return { failures, logins };
    },
  };
}
