/**
 * Returns how many cases a property tries: `usual`, or the number in the variable `REKEY_RUNS`. More runs look deeper;
 * `npm run mutation` asks for fewer, since it runs the same properties for each change that it makes.
 */
export const propertyRuns = (usual: number): number => Number(process.env.REKEY_RUNS ?? usual);
