#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { BlvitError } from '../base/blvit-error.js'
import { visibleLines } from '../base/visible-text.js'
import { packageVersion } from '../files/package-file.js'
import * as commands from './commands/index.js'
import type { CliContext } from './context.js'

/** The rule stands in README.md: 1 the job failed in part or whole, 2 the command line makes no sense (`BAD_OPTION`). */
const exitCodes = { failed: 1, usage: 2, interrupted: 130 } as const

/** Why work is given up when nobody reads its results any more. */
const readerLeft = Symbol('reader left')

/** Why work is given up when its results can't be written. The user has been told. */
const outputFailed = Symbol('output failed')

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
    if (error.code === 'EPIPE') return interruption.abort(readerLeft)
    if (interruption.signal.aborted) return
    // Told here: the command may have ended before its last words failed.
    report(new BlvitError('WRITE_FAILED', `The results can't be written: ${error.message}.`), context)
    interruption.abort(outputFailed)
  })
  // Notes that nobody reads (2>&1 | tee, and tee is gone) are no reason to stop hours of work.
  process.stderr.on('error', () => {})
  return context
}

function report(thrown: unknown, context: CliContext): void {
  if (thrown instanceof CommanderError) {
    // commander has printed its own message; help and version end well
    context.exitWith(thrown.exitCode === 0 ? 0 : exitCodes.usage)
  } else if (context.signal.reason === readerLeft) {
    context.exitWith(0)
  } else if (context.signal.reason === outputFailed) {
    context.exitWith(exitCodes.failed)
  } else if (context.signal.aborted) {
    context.note('Stopped.')
    context.exitWith(exitCodes.interrupted)
  } else if (thrown instanceof BlvitError) {
    context.note(`error: ${thrown.message}`)
    context.exitWith(thrown.code === 'BAD_OPTION' ? exitCodes.usage : exitCodes.failed)
  } else {
    const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
    context.note(`error: blvit has a bug; please report it with this text:\n${stack}`)
    context.exitWith(exitCodes.failed)
  }
}

async function main(): Promise<void> {
  const context = makeContext()
  const program = new Command('blvit')
    .description('big.LITTLE Vision Transformers: recognition that spends its work where it matters.')
    .version(packageVersion())
    .showSuggestionAfterError()
    .showHelpAfterError('(blvit <command> --help explains)')
    .exitOverride()
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 failed in part or whole, 2 the command line makes no sense, 130 Ctrl-C.

Examples:
  blvit classify photo.jpg
  blvit help classify`,
    )
    .configureOutput({ writeErr: (text) => process.stderr.write(visibleLines(text)) })
  for (const addTo of Object.values(commands)) addTo(program, context)
  const [word, name, ...others] = process.argv.slice(2)
  // left to itself, the help of an unknown command is that of all, without a word about it
  const isUnknown =
    word === 'help' && name !== undefined && !program.commands.some((one) => one.name() === name)
  try {
    await (isUnknown ? program.parseAsync([name, ...others], { from: 'user' }) : program.parseAsync())
  } catch (thrown) {
    report(thrown, context)
  }
}

await main()
