import configuration from './jest.config.mjs';

const [{ testMatch, testPathIgnorePatterns, displayName, ...common }] = configuration.projects;

/** The unit tests of the domain as one project, as Stryker wants it. `memory.test.ts` takes its time for one figure. */
export default {
  ...common,
  testMatch: ['<rootDir>/test/handover/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '\\.real\\.test\\.ts$', 'memory\\.test\\.ts$'],
};
