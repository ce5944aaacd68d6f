import { execFileSync } from 'node:child_process'
import type { TestProject } from 'vitest/node'

/** Builds what is tested, once before any test: the modules, and for tests of more than the quick ones the command line. */
export default function buildOnce({ vitest: { projects } }: TestProject): void {
  // several projects ask for it
  if (process.env.BLVIT_TESTS_BUILT === '1') return
  process.env.BLVIT_TESTS_BUILT = '1'
  const script = projects.every(({ name }) => name === 'quick') ? 'build:modules' : 'build'
  execFileSync('npm', ['run', script, '--silent'], { stdio: 'inherit' })
}
