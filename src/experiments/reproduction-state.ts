import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { RunIdentity } from '../base/run-identity.js'
import { packageVersion } from '../files/package-file.js'
import type { StateKind } from '../files/state-file.js'
import { runResultSchema } from './run.js'

const outcomeSchema = z.object({
  /** Tells runs apart: see {@link runKey}. */
  run: z.string(),
  result: runResultSchema,
})

/** A run that is done. */
export type RunOutcome = Readonly<z.infer<typeof outcomeSchema>>

/** How a reproduction is kept: a line for each run. */
export const reproductionKind: StateKind<RunOutcome, { readonly runs: number }> = {
  name: 'reproduction',
  command: 'blvit reproduce',
  outcome: outcomeSchema,
  report: z.object({ runs: z.int() }),
}

/** What all runs of a reproduction share. More rows and seeds may come to it later. */
export function reproductionIdentity(shared: {
  readonly table: string
  readonly data: string
  readonly teacher: string
}): RunIdentity {
  return { version: packageVersion(), ...shared }
}

/** The same for a run that is asked for in the same words. */
export function runKey(asked: unknown): string {
  return createHash('sha256').update(JSON.stringify(asked)).digest('hex').slice(0, 16)
}
