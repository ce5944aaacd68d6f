import { runCommandLine } from '../../src/cli/command-line.js'
import type { CliRun } from './run-cli.js'

/** A process has one current folder: calls that come at once wait for each other. */
let turn: Promise<unknown> = Promise.resolve()

/**
 * Runs `blvit` in this process, on which a new one would spend most of its time: for what a command says to words,
 * files and models. What the process is for (signals, streams, its end) {@link runCli} shows.
 */
export function runInProcess(
  words: readonly string[],
  { cwd }: { readonly cwd?: string } = {},
): Promise<CliRun> {
  const run = turn.then(() => runIn(cwd ?? process.cwd(), words))
  turn = run.catch(() => {})
  return run
}

async function runIn(cwd: string, words: readonly string[]): Promise<CliRun> {
  const before = process.cwd()
  process.chdir(cwd)
  const run = { code: 0, stdout: '', stderr: '' }
  await runCommandLine(words, {
    signal: new AbortController().signal,
    out: async (text) => {
      run.stdout += `${text}\n`
    },
    note: (text) => {
      run.stderr += `${text}\n`
    },
    interactive: false,
    exitWith: (code) => {
      run.code = code
    },
  }).finally(() => process.chdir(before))
  return run
}
