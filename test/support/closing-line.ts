import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node'

/** Prints `N passed, N failed, N skipped` alone on the very last line: the one form that CI reads. */
export default class ClosingLine implements Reporter {
  // What stands if vitest stops before a single test could run, e.g. because the build fails.
  private count = { passed: 0, failed: 1, skipped: 0 }

  onInit(): void {
    // Other reporters and the teardown still print after the run's end; nothing prints after this.
    process.once('exit', () => {
      const { passed, failed, skipped } = this.count
      console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`)
    })
  }

  onTestRunEnd(
    modules: readonly TestModule[],
    unhandled: readonly unknown[],
    reason: TestRunEndReason,
  ): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const state = test.result().state
        if (state !== 'pending') count[state] += 1
      }
      // A file that can't be loaded and a hook that throws fail no test of their own.
      for (const suite of [module, ...module.children.allSuites()]) {
        if (suite.errors().length > 0) count.failed += 1
      }
    }
    // Also a run that broke off before its first test must not read as a success.
    if (reason !== 'passed' && count.failed === 0) count.failed = 1
    this.count = count
  }
}
