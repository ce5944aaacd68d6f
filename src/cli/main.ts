#!/usr/bin/env node
import { visibleLines } from '../base/visible-text.js'
import { Abandoned, exitCodes, runCommandLine } from './command-line.js'
import type { CliContext } from './context.js'

function makeContext(): CliContext {
  const interruption = new AbortController()
  process.once('SIGINT', () => {
    interruption.abort()
    // The second Ctrl-C doesn't wait for anything. No process.exit(): it would end the engine's thread in the
    // middle of a run, which ONNX Runtime answers with abort(). The signal's own default is quiet.
    process.once('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  })
  const context: CliContext = {
    signal: interruption.signal,
    out: (text) => new Promise((resolve) => process.stdout.write(`${visibleLines(text)}\n`, () => resolve())),
    note: (text) => process.stderr.write(`${visibleLines(text)}\n`),
    interactive: process.stderr.isTTY === true,
    exitWith: (code) => {
      process.exitCode = code
    },
  }
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that stops early (| head) is no failure, and nobody is left to work for.
    if (error.code === 'EPIPE') return interruption.abort(new Abandoned(exitCodes.done))
    if (interruption.signal.aborted) return
    // Told here: the command may have ended before its last words failed.
    context.note(`error: The results can't be written: ${error.message}.`)
    context.exitWith(exitCodes.failed)
    interruption.abort(new Abandoned(exitCodes.failed))
  })
  // Notes that nobody reads (2>&1 | tee, and tee is gone) are no reason to stop hours of work.
  process.stderr.on('error', () => {})
  return context
}

await runCommandLine(process.argv.slice(2), makeContext())
