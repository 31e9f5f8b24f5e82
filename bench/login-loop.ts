/** What a consumer saw that logged in over and over with what is AWSCURRENT at that moment. */
export interface LoginRecord {
  readonly attempts: number;
  readonly refused: number;
  /**
   * From the first refused login to the first one after it that was accepted again, by their starts; 0 when none was
   * refused. As exact as one login takes time.
   */
  readonly deadMs: number;
}

/** Logs in one time after the other until stopped. */
export function startLogins(login: () => Promise<boolean>): { stop(): Promise<LoginRecord> } {
  let stopped = false;
  const attempts: { at: number; accepted: boolean }[] = [];
  const loop = (async () => {
    while (!stopped) {
      const at = performance.now();
      attempts.push({ at, accepted: await login() });
    }
  })();
  return {
    async stop() {
      stopped = true;
      await loop;
      const first = attempts.findIndex(({ accepted }) => !accepted);
      const last = attempts.findLastIndex(({ accepted }) => !accepted);
      const from = attempts[first]?.at;
      const to = attempts[last + 1]?.at;
      if (from !== undefined && to === undefined) throw new Error('the last login was still refused');
      return {
        attempts: attempts.length,
        refused: attempts.filter(({ accepted }) => !accepted).length,
        deadMs: from === undefined || to === undefined ? 0 : to - from,
      };
    },
  };
}
