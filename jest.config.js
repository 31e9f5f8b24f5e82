/** Native ESM with the SWC transform: the tests run the same modules that ship. */
const transform = {
  '^.+\\.ts$': [
    '@swc/jest',
    {
      jsc: {
        parser: { syntax: 'typescript' },
        target: 'es2024',
        experimental: { keepImportAttributes: true },
      },
      module: { type: 'es6' },
      sourceMaps: 'inline',
    },
  ],
};
const base = {
  transform,
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  rootDir: import.meta.dirname,
};

/**
 * How long a test may take before it counts as hanging. A machine that is busy with other things takes many times what it
 * takes alone, and how long something takes is asserted only where that is a promise.
 */
const testTimeout = 600_000;

// The CDK notes for each construct where in the code it was made: a third of a synthesis, and nothing here reads it.
process.env.CDK_DISABLE_STACK_TRACE ??= '1';

/** One project per kind of test, so that each can be run alone: `npm run test:unit`, `test:conformance`, … */
export default {
  testTimeout,
  testSequencer: '<rootDir>/test/longest-first.js',
  // Modules of a test file stay in its worker's memory, and a large heap makes every later file slower: a new worker is cheaper.
  workerIdleMemoryLimit: '1GB',
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        '<rootDir>/test/(conformance|chaos|e2e|synth|local|linters|changes|packages|pages|emergency)/',
      ],
    },
    { ...base, displayName: 'synth', testMatch: ['<rootDir>/test/synth/**/*.test.ts'] },
    { ...base, displayName: 'conformance', testMatch: ['<rootDir>/test/(conformance|chaos)/**/*.test.ts'] },
    { ...base, displayName: 'linters', testMatch: ['<rootDir>/test/linters/**/*.test.ts'] },
    { ...base, displayName: 'local', testMatch: ['<rootDir>/test/local/**/*.test.ts'] },
    { ...base, displayName: 'pages', testMatch: ['<rootDir>/test/pages/**/*.test.ts'] },
    { ...base, displayName: 'packages', testMatch: ['<rootDir>/test/packages/**/*.test.ts'] },
    { ...base, displayName: 'changes', testMatch: ['<rootDir>/test/changes/**/*.test.ts'] },
    { ...base, displayName: 'emergency', testMatch: ['<rootDir>/test/emergency/**/*.test.ts'] },
    { ...base, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.test.ts'] },
  ],
};
