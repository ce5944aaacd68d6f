#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { BlvitError } from '../errors/blvit-error.js'
import { commands } from './commands/index.js'
import type { CliContext } from './context.js'

/** Exit codes: 1 the job failed in part or whole, 2 the command line makes no sense, 130 Ctrl-C. */
const exitCodes = { failed: 1, usage: 2, interrupted: 130 } as const

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function makeContext(): CliContext {
  const interruption = new AbortController()
  process.on('SIGINT', () => {
    // The second Ctrl-C doesn't wait for anything.
    if (interruption.signal.aborted) process.exit(exitCodes.interrupted)
    interruption.abort()
  })
  return {
    signal: interruption.signal,
    out: (text) => process.stdout.write(`${text}\n`),
    note: (text) => process.stderr.write(`${text}\n`),
    interactive: process.stderr.isTTY === true,
    exitWith: (code) => {
      process.exitCode = code
    },
  }
}

function report(thrown: unknown, context: CliContext): void {
  if (thrown instanceof CommanderError) {
    // commander has printed its own message; help and version end well
    context.exitWith(thrown.exitCode === 0 ? 0 : exitCodes.usage)
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
  // A reader that stops early (| head) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  const program = new Command('blvit')
    .description('big.LITTLE Vision Transformers: recognition that spends its work where it matters.')
    .version(readVersion())
    .showSuggestionAfterError()
    .showHelpAfterError('(blvit <command> --help explains)')
    .exitOverride()
  for (const addTo of commands) addTo(program, context)
  try {
    await program.parseAsync()
  } catch (thrown) {
    report(thrown, context)
  }
}

await main()
