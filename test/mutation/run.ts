import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { packageRoot } from '../../lib/function/bundle.ts';
import { scoreOf } from './score.ts';

/** What is mutated, and the tests that must notice. */
const modules = {
  audit: { files: ['lambdas/audit/*.ts', 'core/audit/*.ts'], tests: ['lambdas/audit', 'core/audit'] },
  revocation: { files: ['lambdas/revocation/*.ts'], tests: ['lambdas/revocation'] },
  rotation: {
    files: ['lambdas/rotation/*.ts', 'core/brake.ts'],
    tests: ['lambdas/rotation', 'lambdas/revocation', 'core'],
  },
  rotators: {
    files: ['rotators/{families,transport}/*.ts', 'rotators/families/aws-api/*.ts'],
    tests: ['rotators', 'lambdas/rotation', 'lambdas/revocation'],
  },
} as const;

const usage = `npm run mutation -- [module] [file …]

Changes the code in one place after the other and runs the unit tests that reach it: a change that none of them notices
survived. Modules: ${Object.keys(modules).join(', ')}; by default all of them, one after the other. Files, relative to the
checkout and with :from-to for lines, narrow a module. Reports lie in .rekey/mutation/.

  --at-once N   how many mutants are tried at the same time (default 1); one for each core that is idle
  --help
`;

const { values, positionals } = parseArgs({
  options: { help: { type: 'boolean', default: false }, 'at-once': { type: 'string', default: '1' } },
  allowPositionals: true,
});

const concurrency = Number(values['at-once']);
if (!Number.isInteger(concurrency) || concurrency < 1)
  throw new Error(`--at-once ${values['at-once']} is no number of mutants; give 1 or more`);

const jestConfig: { readonly default: { readonly projects: readonly [Record<string, unknown>] } } =
  await import(join(packageRoot, 'jest.config.js'));
const [unit] = jestConfig.default.projects;

const isModule = (name: string): name is keyof typeof modules => Object.hasOwn(modules, name);

/** Mutates one module and says how many of its mutants the tests noticed. */
async function mutate(name: keyof typeof modules, files: readonly string[]): Promise<void> {
  const { tests } = modules[name];
  const { transform, extensionsToTreatAsEsm, testEnvironment } = unit;
  const reports = join('.rekey', 'mutation');
  const stryker = new Stryker({
    testRunner: 'jest',
    plugins: ['@stryker-mutator/jest-runner'],
    testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    // This TypeScript has no API for JavaScript: there is no configuration that Stryker could rewrite.
    tsconfigFile: 'none.json',
    jest: {
      projectType: 'custom',
      // Holds no settings of jest's, unlike jest.config.js, whose projects would run instead of the tests chosen here.
      configFile: 'package.json',
      config: {
        transform,
        extensionsToTreatAsEsm,
        testEnvironment,
        testMatch: tests.map((folder) => `**/test/${folder}/**/*.test.ts`),
        // Bundles every function, which no mutant changes for the better.
        testPathIgnorePatterns: ['/node_modules/', 'test/lambdas/rotation/budget.test.ts'],
      },
      enableFindRelatedTests: true,
    },
    mutate: files.length > 0 ? [...files] : [...modules[name].files, '!**/*.handler.ts'],
    mutator: { excludedMutations: ['StringLiteral', 'ObjectLiteral'] },
    ignoreStatic: true,
    coverageAnalysis: 'perTest',
    concurrency,
    // Modules of past runs stay in a runner's memory: after some hundreds it holds gigabytes and is several times slower.
    maxTestRunnerReuse: 20,
    timeoutMS: 25_000,
    tempDirName: join(reports, 'sandbox'),
    ignorePatterns: ['.rekey', 'cdk.out', 'bench', 'test/e2e', 'test/local', 'test/synth'],
    reporters: ['progress-append-only', 'clear-text', 'html', 'json'],
    clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
    htmlReporter: { fileName: join(reports, `${name}.html`) },
    jsonReporter: { fileName: join(reports, `${name}.json`) },
  });
  const { killed, timedOut, survived, uncovered, percent } = scoreOf(await stryker.runMutationTest());
  process.stdout.write(
    `${name}: ${percent} %; ${killed} killed, ${timedOut} timed out, ${survived} survived, ${uncovered} without a test\n`,
  );
}

const [first, ...files] = positionals;
process.chdir(packageRoot);
process.env.REKEY_RUNS ??= '25';
if (values.help) process.stdout.write(usage);
else if (first === undefined)
  for (const name of Object.keys(modules).filter(isModule)) await mutate(name, []);
else if (isModule(first)) await mutate(first, files);
else throw new Error(`${first} is no module; there are ${Object.keys(modules).join(', ')}`);
