import { z } from 'zod'
import { BlvitError } from './blvit-error.js'

/**
 * What the outcome of a long run depends on, by the names that people know: fingerprints of model and data, the seed,
 * device and threads. A run that was stopped goes on only where all of it is the same.
 */
export type RunIdentity = Readonly<Record<string, string>>

export const runIdentitySchema: z.ZodType<RunIdentity> = z.record(z.string(), z.string())

const longestShown = 60

/** Fingerprints and configurations are long; their beginnings tell most of them apart. */
function short(value = 'nothing'): string {
  if (/^[0-9a-f]{64}$/.test(value)) return `fingerprint ${value.slice(0, 12)}…`
  return value.length > longestShown ? `${value.slice(0, longestShown)}…` : value
}

/** Two runs, one of them found in a file. */
interface Compared {
  readonly found: RunIdentity
  readonly wanted: RunIdentity
}

/** What two runs differ in, a line for each. */
export function runDifferences(
  { found, wanted }: Compared,
  { there, here }: { readonly there: string; readonly here: string },
): string[] {
  return differingKeys({ found, wanted }).map(
    (key) => `  ${key}: ${short(found[key])} ${there}, ${short(wanted[key])} ${here}`,
  )
}

function differingKeys({ found, wanted }: Compared): string[] {
  return Object.keys({ ...found, ...wanted }).filter((key) => found[key] !== wanted[key])
}

/**
 * @param compared `found`: what the file at `path` was begun with, `wanted`: of the run that shall go on with it
 * @param options `is`: what `path` then is, `advice`: what to do about it
 * @throws BlvitError `BAD_OPTION` naming everything that differs
 */
export function assertSameRun(
  path: string,
  compared: Compared,
  { is, advice }: { readonly is: string; readonly advice: string },
): void {
  const differences = differingKeys(compared)
  if (differences.length === 0) return
  const lines = runDifferences(compared, { there: 'there', here: 'now' })
  throw new BlvitError('BAD_OPTION', `${path} ${is}:\n${lines.join('\n')}\n${advice}`, { path, differences })
}
