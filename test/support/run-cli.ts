import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** How a process of the command line ended and what it said. */
export interface CliRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What no message may hold: where an error came from, in a built file or in a source. */
export const stackTrace = /at .*\.[jt]s:\d+|blvit has a bug/

export interface CliOptions {
  /** Given on standard input. */
  readonly input?: Uint8Array | string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Called with all of stderr so far, each time some comes; may send a signal. */
  readonly onStderr?: (stderr: string, interrupt: () => void) => void
  readonly onStdout?: (stdout: string, interrupt: () => void) => void
}

/** Runs `blvit` as a user would, as a process of its own. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
  })
  const interrupt = () => {
    child.kill('SIGINT')
  }
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
    options.onStdout?.(stdout, interrupt)
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
    options.onStderr?.(stderr, interrupt)
  })
  child.stdin.end(options.input ?? '')
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}
