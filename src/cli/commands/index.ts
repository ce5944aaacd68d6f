import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { analyzeCommand } from './analyze.js'
import { benchCommand } from './bench.js'
import { classifyCommand } from './classify.js'
import { compareCommand } from './compare.js'
import { convertCommand } from './convert.js'
import { distillCommand } from './distill.js'
import { embedCommand } from './embed.js'
import { evalCommand } from './eval.js'
import { exportCommand } from './export.js'
import { finetuneCommand } from './finetune.js'
import { initCommand } from './init.js'
import { mergeCommand } from './merge.js'
import { methodsCommand } from './methods.js'
import { modelsCommand } from './models.js'
import { traceCommand } from './trace.js'
import { trainCommand } from './train.js'

/** Every command. Adding one is its file and one line here. */
export const commands: readonly ((program: Command, context: CliContext) => void)[] = [
  analyzeCommand,
  benchCommand,
  classifyCommand,
  compareCommand,
  convertCommand,
  distillCommand,
  embedCommand,
  evalCommand,
  exportCommand,
  finetuneCommand,
  initCommand,
  mergeCommand,
  traceCommand,
  trainCommand,
  modelsCommand,
  methodsCommand,
]
