import { execFileSync } from 'node:child_process'

/** End-to-end tests run the built command line: build it once, before any of them. */
export default function buildOnce(): void {
  // several projects ask for it
  if (process.env.BLVIT_TESTS_BUILT === '1') return
  process.env.BLVIT_TESTS_BUILT = '1'
  execFileSync('npm', ['run', 'build', '--silent'], { stdio: 'inherit' })
}
