import { statSync } from 'node:fs';

/** Files that take longest, longest first: whatever begins last decides when a run ends. */
const longest = [
  'test/e2e/rekey.test.ts',
  'test/conformance/histories-',
  'test/conformance/outage.test.ts',
  'test/conformance/rotation.test.ts',
  'test/conformance/adversary.test.ts',
  'test/conformance/availability.test.ts',
  'test/packages/',
  'test/synth/standard-function',
  'test/synth/scale',
];

const rankOf = (path) => {
  const rank = longest.findIndex((part) => path.includes(part));
  return rank === -1 ? longest.length : rank;
};

/** Orders test files for jest, which knows no durations in a fresh checkout. The others go by their size. */
export default class LongestFirst {
  sort(tests) {
    return [...tests].sort(
      (one, other) =>
        rankOf(one.path) - rankOf(other.path) || statSync(other.path).size - statSync(one.path).size,
    );
  }

  allFailedTests(tests) {
    return tests;
  }

  shard(tests) {
    return tests;
  }

  cacheResults() {}
}
