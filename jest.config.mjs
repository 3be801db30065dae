const common = {
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript', importAttributes: true } }, module: { type: 'es6' } },
    ],
  },
  extensionsToTreatAsEsm: ['.ts'],
  // Copies of the project with faults in them, while mutation testing runs; and file systems of a cluster's nodes.
  modulePathIgnorePatterns: ['<rootDir>/coverage/', '<rootDir>/lab/(run|\\.cache)/'],
  testEnvironmentOptions: { customExportConditions: ['ovn-handover-source', 'node', 'node-addons'] },
};

/**
 * `unit` needs nothing but Node. `real` needs root, Open vSwitch, OVN and QEMU, and runs one file at a time
 * because the files share the machine's two cores. `cluster` needs what `lab/cluster/binaries.sh` builds, too; `nodes` and
 * `slow`, which takes hours, take the cluster of `npm run cluster -- up`, and `no-cluster` starts some, of which nothing may be left.
 */
export default {
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/{test,packages}/**/*.test.ts'],
      testPathIgnorePatterns: ['\\.(real|cluster|nodes|slow|no-cluster)\\.test\\.ts$', '/node_modules/', '/dist/'],
    },
    {
      ...common,
      displayName: 'real',
      testMatch: ['<rootDir>/{test,packages}/**/*.real.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/dist/'],
    },
    {
      ...common,
      displayName: 'cluster',
      testMatch: ['<rootDir>/test/**/*.cluster.test.ts'],
    },
    ...['nodes', 'slow', 'no-cluster'].map((displayName) => ({
      ...common,
      displayName,
      testMatch: [`<rootDir>/test/**/*.${displayName}.test.ts`],
    })),
  ],
};
