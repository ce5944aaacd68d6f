import type { Command } from 'commander'
import type { CliContext } from '../context.js'

interface Flags {
  readonly json?: boolean
}

/** `blvit methods` */
export function methodsCommand(program: Command, context: CliContext): void {
  program
    .command('methods')
    .description('List the methods that save work: what each does, its parameters, what it needs, its paper.')
    .argument('[name]', 'one of them, with all that is to be known of its parameters')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  blvit methods
  blvit methods tome
  blvit methods --json`,
    )
    .action((name: string | undefined, flags: Flags) => methods(name, flags, context))
}

async function methods(name: string | undefined, { json }: Flags, context: CliContext): Promise<void> {
  const { findMethod, listMethods } = await import('../../tasks/list-methods.js')
  const found = name === undefined ? listMethods() : findMethod(name)
  if (json) return void context.out(JSON.stringify(found))
  const { methodsText, methodText } = await import('../methods-report.js')
  context.out('reductions' in found ? methodsText(found) : methodText(found))
}
