import type { RunIdentity } from '../base/run-identity.js'
import type { ChosenRuntime, LoadOptions } from './runtime.js'

/**
 * The part of a long run's identity that its engine is: sums in another order or precision may differ in their last bits,
 * and whatever follows from them.
 */
export function engineIdentity(
  { runtime }: ChosenRuntime,
  {
    threads,
    precision = 'fp32',
    parallel = 1,
  }: Pick<LoadOptions, 'threads' | 'precision'> & { readonly parallel?: number | 'auto' | undefined },
): RunIdentity {
  return {
    device: runtime.description,
    threads: `${threads ?? 'as the engine chooses'}`,
    parallel: `${parallel}`,
    precision,
  }
}
