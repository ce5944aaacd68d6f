import { Command } from 'commander'
import { beforeAll, describe, expect, test } from 'vitest'
import * as commands from '../../src/cli/commands/index.js'
import type { CliContext } from '../../src/cli/context.js'
import { type CliRun, runCli } from '../support/run-cli.js'

const context: CliContext = {
  signal: new AbortController().signal,
  out: async () => {},
  note: () => {},
  interactive: false,
  exitWith: () => {},
}
const program = new Command('blvit')
for (const addTo of Object.values(commands)) addTo(program, context)

/** What `blvit <command> --help` prints. */
function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({
    writeOut: (part) => {
      text += part
    },
  })
  command.outputHelp()
  return text
}

/** Command lines among the examples; those of a line with && apart. */
function examplesOf(command: Command): string[] {
  const [, examples = ''] = helpOf(command).split('Examples:')
  return [...examples.matchAll(/\bblvit [^&|>\n]+/g)].map(([line]) => line.trim())
}

test('the help of an unknown command says that it is unknown', async () => {
  const { code, stdout, stderr } = await runCli(['help', 'clasify'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain("unknown command 'clasify'")
  expect(stderr).toContain('Did you mean classify?')
})

describe.each(program.commands.map((command) => [command.name(), command] as const))(
  'the help of %s',
  (name, command) => {
    const examples = examplesOf(command)

    test('has an example of it', () =>
      expect(examples.filter((line) => line.startsWith(`blvit ${name}`))).not.toEqual([]))

    test.each(examples)('%s has options that there are', (line) => {
      const [, called, ...words] = line.split(/\s+/)
      const options = program.commands.find((known) => known.name() === called)?.options
      const known = options?.flatMap(({ short, long }) => [short, long])
      for (const word of words.filter((part) => /^--?[a-z]/.test(part))) expect(known).toContain(word)
    })
  },
)

describe('blvit --help', () => {
  let run: CliRun
  beforeAll(async () => {
    run = await runCli(['--help'])
  })

  test('names every command and the exit codes', () => {
    expect(run.code).toBe(0)
    for (const command of program.commands)
      expect(run.stdout).toMatch(new RegExp(`^  ${command.name()} `, 'm'))
    expect(run.stdout).toMatch(/Exit codes: 0 done, 1 .*, 2 .*, 130 Ctrl-C/)
  })
})
