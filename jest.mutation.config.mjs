import configuration from './jest.config.mjs';

const [{ testMatch, testPathIgnorePatterns, displayName, ...common }] = configuration.projects;

/** One project, as Stryker wants it: what is cheap enough to run for each mutant, real ovsdb-servers included. */
export default {
  ...common,
  testMatch: ['<rootDir>/test/handover/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '\\.real\\.test\\.ts$'],
};
