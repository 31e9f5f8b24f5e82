/** One thing that is wrong, and where. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}
