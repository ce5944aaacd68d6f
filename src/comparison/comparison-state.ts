import { z } from 'zod'
import type { RunIdentity } from '../base/run-identity.js'
import type { Machine } from '../bench/machine.js'
import type { EngineChoice } from '../bench/messages.js'
import { packageVersion } from '../files/package-file.js'
import type { StateKind } from '../files/state-file.js'
import { answersSchema } from './answers.js'
import { timesSchema } from './times.js'

const outcomeSchema = z.object({
  /** Tells rows apart: see `rowKey`. */
  row: z.string(),
  answers: answersSchema.optional(),
  times: timesSchema.optional(),
  /** Of rows in which pictures decide sizes. */
  counted: z.object({ pictures: z.int(), sizes: z.record(z.string(), z.number()) }).optional(),
})

/** What is done of a row. */
export type RowOutcome = Readonly<z.infer<typeof outcomeSchema>>

/** How a comparison is kept: a line for what is done of a row. */
export const comparisonKind: StateKind<RowOutcome, { readonly rows: number }> = {
  name: 'comparison',
  command: 'blvit compare',
  outcome: outcomeSchema,
  report: z.object({ rows: z.int() }),
}

/** What all rows of a comparison share. More rows may come to it later. */
export function comparisonIdentity(
  machine: Machine,
  {
    data,
    limit,
    seed = 0,
    engine: { device, threads, precision },
  }: {
    readonly data: readonly string[]
    readonly limit: number | undefined
    readonly seed: number | undefined
    readonly engine: EngineChoice
  },
): RunIdentity {
  return {
    version: packageVersion(),
    machine: `${machine.cpu}, ${machine.cores} cores`,
    data: data.join(' ') || 'none',
    limit: `${limit ?? 'none'}`,
    seed: `${seed}`,
    device,
    threads: `${threads ?? 'as the engine chooses'}`,
    precision,
  }
}
