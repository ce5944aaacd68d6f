import { z } from 'zod'

const ratio = z.number().positive().max(1)

/** One ratio; several, of which each step draws one, so that one model serves every budget; or from one to another. */
export const keepRatioSchema = z.union([
  ratio,
  z.array(ratio).min(1),
  z.strictObject({ from: ratio, to: ratio }),
])

/** How a stage chooses the share of patches for the big blocks; undefined: the student's own. */
export type KeepRatios = z.infer<typeof keepRatioSchema> | undefined

/**
 * The share of patches for the big blocks in a step; undefined: the student's own.
 * @param step counts from 0 @param draw a random number in [0, 1) that belongs to the step
 */
export function keepRatioAt(
  keepRatio: KeepRatios,
  { step, steps, draw }: { step: number; steps: number; draw: number },
): number | undefined {
  if (keepRatio === undefined || typeof keepRatio === 'number') return keepRatio
  if ('from' in keepRatio) {
    const share = steps > 1 ? step / (steps - 1) : 0
    return keepRatio.from + (keepRatio.to - keepRatio.from) * share
  }
  return keepRatio[Math.floor(draw * keepRatio.length)]
}

/** The most expensive ratio that a stage can come to; undefined: the student's own. */
export function highestKeepRatio(keepRatio: KeepRatios): number | undefined {
  if (keepRatio === undefined || typeof keepRatio === 'number') return keepRatio
  return 'from' in keepRatio ? Math.max(keepRatio.from, keepRatio.to) : Math.max(...keepRatio)
}
