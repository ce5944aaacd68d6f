import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { classifyCommand } from './classify.js'
import { convertCommand } from './convert.js'
import { exportCommand } from './export.js'

/** Every command. Adding one is its file and one line here. */
export const commands: readonly ((program: Command, context: CliContext) => void)[] = [
  classifyCommand,
  convertCommand,
  exportCommand,
]
