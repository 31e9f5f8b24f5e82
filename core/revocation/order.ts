/**
 * Orders names so that each comes after what leads to it, and gives their levels. A level is 0 where nothing leads to the name,
 * else one more than the highest that does. In a cycle, the first of the given order goes before the others.
 *
 * @param names - in the order in which they go where nothing else decides
 * @param leadsTo - gives the names that one leads to; those that are not among `names` do not count
 */
export function levelsOf(
  names: readonly string[],
  leadsTo: (name: string) => readonly string[],
): ReadonlyMap<string, number> {
  const known = new Set(names);
  const waitsFor = new Map(names.map((name) => [name, 0]));
  const next = new Map<string, readonly string[]>();
  for (const name of names) {
    const followers = [...new Set(leadsTo(name))].filter((other) => known.has(other) && other !== name);
    next.set(name, followers);
    for (const follower of followers) waitsFor.set(follower, (waitsFor.get(follower) ?? 0) + 1);
  }
  const levels = new Map<string, number>();
  const least = new Map<string, number>();
  const free = names.filter((name) => waitsFor.get(name) === 0);
  let cursor = 0;
  let nextOfCycle = 0;
  while (levels.size < names.length) {
    let name = free[cursor];
    if (name === undefined) {
      // Only cycles are left: whatever the given order has first goes first.
      while (levels.has(names[nextOfCycle] as string)) nextOfCycle += 1;
      name = names[nextOfCycle] as string;
    } else {
      cursor += 1;
      if (levels.has(name)) continue;
    }
    const level = least.get(name) ?? 0;
    levels.set(name, level);
    for (const follower of next.get(name) ?? []) {
      if (levels.has(follower)) continue;
      least.set(follower, Math.max(least.get(follower) ?? 0, level + 1));
      const left = (waitsFor.get(follower) ?? 0) - 1;
      waitsFor.set(follower, left);
      if (left === 0) free.push(follower);
    }
  }
  return levels;
}
