import { findFaults } from './faults.ts';

/** Checks the first sentences of doc comments as part of `npm run lint`. */
const faults = findFaults();
for (const fault of faults) process.stderr.write(`${fault}\n`);
if (faults.length > 0) process.exitCode = 1;
