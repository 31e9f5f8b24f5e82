type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/**
 * Does not compile unless a value has exactly a type: `same<string>()(secret.secretName)`. A type test is compiled by
 * `npm run types` and never run; a line below `@ts-expect-error` must be refused.
 */
export declare function same<Expected>(): <const Actual>(
  value: Same<Actual, Expected> extends true ? Actual : never,
) => void;
