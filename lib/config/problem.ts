import type { z } from 'zod';
import { meant } from './forms.ts';

/** One thing that is wrong, and where. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/**
 * Lists the problems of a parse. A union reports its members' issues inside one issue; the nested ones of the best match say
 * more.
 */
export function flatten(issues: readonly z.core.$ZodIssue[], prefix: readonly PropertyKey[] = []): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const path = [...prefix, ...issue.path];
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      const closest = issue.errors.reduce((best, next) => (depth(next) > depth(best) ? next : best));
      const [meant, ...others] = issue.errors.filter(knowsTheKeys);
      if (depth(closest) > 0) {
        return flatten(closest, path);
      }
      if (meant !== undefined && others.length === 0) {
        return flatten(meant, path);
      }
    }
    if (issue.code === 'invalid_key') {
      return issue.issues.map((inner) => ({ path, message: inner.message }));
    }
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const [other] = meant(path, key);
        const hint = other === undefined ? 'check the spelling' : `did you mean ${other}?`;
        return { path: [...path, key], message: `is not a setting; ${hint}` };
      });
    }
    return [{ path, message: issue.message }];
  });
}

/** Tells whether a member of a union knows all the keys that are set. It is then the one that was meant. */
const knowsTheKeys = (issues: readonly z.core.$ZodIssue[]): boolean =>
  !issues.some(({ code, path }) => code === 'unrecognized_keys' && path.length === 0);

const depth = (issues: readonly z.core.$ZodIssue[]): number =>
  Math.max(
    0,
    ...issues.filter(({ code }) => code !== 'unrecognized_keys').map(({ path }) => path.length - 1),
  );
