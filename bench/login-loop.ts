import { median } from './statistics.ts';

/** What a consumer saw that logged in over and over with what is AWSCURRENT at that moment. */
export interface LoginRecord {
  readonly attempts: number;
  readonly refused: number;
  /**
   * From the first refused login to the first one after it that was accepted again, by their starts; 0 when none was
   * refused. As exact as one login takes time.
   */
  readonly deadMs: number;
  /** How long a login took that was accepted; median. */
  readonly loginMs: number;
}

/** How long logins go on after the end while they are still refused. */
const patienceMs = 5_000;

/** Logs in one time after the other until stopped, and then until a login is accepted. */
export function startLogins(login: () => Promise<boolean>): { stop(): Promise<LoginRecord> } {
  let until = Number.POSITIVE_INFINITY;
  const attempts: { at: number; ms: number; accepted: boolean }[] = [];
  const loop = (async () => {
    for (let accepted = true; ; ) {
      const at = performance.now();
      if (at > until + (accepted ? 0 : patienceMs)) return;
      accepted = await login();
      attempts.push({ at, ms: performance.now() - at, accepted });
    }
  })();
  return {
    async stop() {
      until = performance.now();
      await loop;
      const first = attempts.findIndex(({ accepted }) => !accepted);
      const last = attempts.findLastIndex(({ accepted }) => !accepted);
      const from = attempts[first]?.at;
      const to = attempts[last + 1]?.at;
      if (from !== undefined && to === undefined)
        throw new Error(`logins were still refused ${patienceMs} ms after the rotation`);
      return {
        attempts: attempts.length,
        refused: attempts.filter(({ accepted }) => !accepted).length,
        deadMs: from === undefined || to === undefined ? 0 : to - from,
        loginMs: median(attempts.flatMap(({ accepted, ms }) => (accepted ? [ms] : []))),
      };
    },
  };
}
