/** A hook around calls to the outside; throwing in it is a crash at that point. */
export type Hook = (call: string, when: 'before' | 'after') => void | Promise<void>;

/** Runs `hook` before and after every method call on `target`. */
export function intercept<T extends object>(target: T, label: string, hook: Hook): T {
  return new Proxy(target, {
    get(object, property) {
      const member: unknown = Reflect.get(object, property, object);
      if (typeof member !== 'function') {
        return member;
      }
      return async (...parameters: unknown[]) => {
        const call = `${label}.${String(property)}`;
        await hook(call, 'before');
        const result: unknown = await member.apply(object, parameters);
        await hook(call, 'after');
        return result;
      };
    },
  });
}

/** The end of an execution environment: nothing after it in that invocation takes effect. */
class Crash extends Error {
  override name = 'Crash';
}

/**
 * A hook that lets `calls` calls pass and then kills the invocation, before or after the next one takes effect.
 * Every later call of the same invocation dies too, as in a process that is gone. `pace` delays calls by turns of the
 * event loop, so that invocations at the same time overtake each other.
 */
export function crashAt(
  point: { calls: number; when: 'before' | 'after' } | undefined,
  pace: readonly number[] = [],
): Hook {
  let seen = 0;
  let dead = false;
  return async (_call, when) => {
    for (let turns = pace[seen % pace.length] ?? 0; turns > 0; turns -= 1) {
      await Promise.resolve();
    }
    if (dead) {
      throw new Crash();
    }
    if (when === 'before') {
      seen += 1;
    }
    if (point !== undefined && seen > point.calls && when === point.when) {
      dead = true;
      throw new Crash();
    }
  };
}
