/** Admits so many requests a minute in one process, which bounds what guessing costs. */
export function limiter(perMinute: number, now: () => number): () => boolean {
  let [began, count] = [0, 0];
  return () => {
    if (now() - began >= 60_000) [began, count] = [now(), 0];
    count += 1;
    return count <= perMinute;
  };
}
