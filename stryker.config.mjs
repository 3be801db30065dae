/** Mutation testing of the domain: `npm run mutation`, some while on two cores. See docs/mutation.md. */
export default {
  mutate: ['handover/**/*.ts'],
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings'],
  jest: { configFile: 'jest.mutation.config.mjs' },
  coverageAnalysis: 'perTest',
  ignorePatterns: ['lab/.cache', 'lab/out', 'lab/run', 'dist', 'docs'],
  concurrency: 2,
  // ES modules that Jest has loaded stay in memory: some 3 MB for each test file that was run.
  maxTestRunnerReuse: 200,
  timeoutMS: 20_000,
  reporters: ['clear-text', 'progress', 'json', 'html'],
  jsonReporter: { fileName: 'coverage/mutation.json' },
  htmlReporter: { fileName: 'coverage/mutation.html' },
  thresholds: { high: 95, low: 90, break: 90 },
  tempDirName: 'coverage/stryker',
};
