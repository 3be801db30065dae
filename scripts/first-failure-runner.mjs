import TestRunner from 'jest-runner';

/**
 * Jest's runner, but after a test file that fails no other is run: that kills a mutant, and Jest's own `bail` does
 * nothing when Stryker calls it. Jest puts first what failed last, which is mostly what kills the next mutant too.
 */
export default class FirstFailureRunner extends TestRunner {
  async runTests(tests, watcher, options) {
    let failed = false;
    this.on('test-file-success', ([, result]) => {
      failed = result.numFailingTests > 0;
    });
    for (const test of tests) {
      if (!failed) await super.runTests([test], watcher, options);
    }
  }
}
