import { execFileSync } from 'node:child_process'

/** End-to-end tests run the built command line: build it once, before any of them. */
export default function buildOnce(): void {
  execFileSync('npm', ['run', 'build', '--silent'], { stdio: 'inherit' })
}
