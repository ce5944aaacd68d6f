import { Command, CommanderError } from 'commander'
import { BlvitError } from '../base/blvit-error.js'
import { packageVersion } from '../files/package-file.js'
import * as commands from './commands/index.js'
import type { CliContext } from './context.js'

/** The rule stands in README.md: 1 the job failed in part or whole, 2 the command line makes no sense (`BAD_OPTION`). */
export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const

/** Why a signal stops a command of which nothing more is to be said: who stops it knows how the process is to end. */
export class Abandoned {
  constructor(readonly exitCode: number) {}
}

function report(thrown: unknown, { signal, note, exitWith }: CliContext): void {
  if (thrown instanceof CommanderError) {
    // commander has printed its own message; help and version end well
    exitWith(thrown.exitCode === 0 ? exitCodes.done : exitCodes.usage)
  } else if (signal.reason instanceof Abandoned) {
    exitWith(signal.reason.exitCode)
  } else if (signal.aborted) {
    note('Stopped.')
    exitWith(exitCodes.interrupted)
  } else if (thrown instanceof BlvitError) {
    note(`error: ${thrown.message}`)
    exitWith(thrown.code === 'BAD_OPTION' ? exitCodes.usage : exitCodes.failed)
  } else {
    const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
    note(`error: blvit has a bug; please report it with this text:\n${stack}`)
    exitWith(exitCodes.failed)
  }
}

/** Does what the words after `blvit` say. All that goes wrong becomes a note and an exit code. */
export async function runCommandLine(words: readonly string[], context: CliContext): Promise<void> {
  // a context adds the break that commander's texts end with
  const withoutBreak = (text: string) => text.replace(/\n$/, '')
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
    .configureOutput({
      writeOut: (text) => void context.out(withoutBreak(text)),
      writeErr: (text) => context.note(withoutBreak(text)),
    })
  for (const addTo of Object.values(commands)) addTo(program, context)
  const [word, name, ...others] = words
  // left to itself, the help of an unknown command is that of all, without a word about it
  const isUnknown =
    word === 'help' && name !== undefined && !program.commands.some((one) => one.name() === name)
  try {
    await program.parseAsync(isUnknown ? [name, ...others] : words, { from: 'user' })
  } catch (thrown) {
    report(thrown, context)
  }
}
