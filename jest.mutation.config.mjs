import configuration from './jest.config.mjs';

const [{ testMatch, testPathIgnorePatterns, displayName, ...common }] = configuration.projects;

/** The unit tests of the domain as one project, as Stryker wants it. */
export default {
  ...common,
  runner: '<rootDir>/scripts/first-failure-runner.mjs',
  testMatch: ['<rootDir>/test/handover/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '\\.real\\.test\\.ts$'],
};
