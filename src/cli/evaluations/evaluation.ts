import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import type { EngineFlags } from '../model-options.js'

/** What a model can be evaluated at: `blvit eval --task`. */
export interface EvaluationTask {
  /** Adds the options that only it has. */
  options(command: Command): Command
  /** Names of the options that it honours, beside the model, its engine and `data`. */
  readonly honours: readonly string[]
  run(
    reference: string,
    flags: EngineFlags & { readonly data: readonly string[] },
    context: CliContext,
  ): Promise<void>
}
