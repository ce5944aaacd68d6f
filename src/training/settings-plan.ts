import { z } from 'zod'
import type { Settings } from '../settings/index.js'

const ratio = z.number().positive().max(1)

/** One ratio; several, of which each step draws one, so that one model serves every budget; or from one to another. */
const keepRatioSchema = z.union([ratio, z.array(ratio).min(1), z.strictObject({ from: ratio, to: ratio })])

/** What a recipe says of the settings that its student is trained at. */
export const trainedSettings = {
  /** Share of patches for the big blocks. Default: the student's own; students that treat all tokens alike have none. */
  keepRatio: keepRatioSchema.exactOptional(),
  /** How the student lets tokens go, e.g. `evit:0.7`. Default: it keeps all. */
  reduce: z.string().min(1).exactOptional(),
}

type TrainedSettings = z.infer<z.ZodObject<typeof trainedSettings>>
type KeepRatios = NonNullable<TrainedSettings['keepRatio']>

/** A step, and a number for it in [0, 1) that was drawn at random. */
export interface StepPlace {
  /** Counts from 0. */
  readonly step: number
  readonly steps: number
  readonly draw: number
}

/** The settings that a student is trained at. */
export interface SettingsPlan {
  /** Those of a step. */
  at(place: StepPlace): Settings
  /** All that it comes to; where it goes from one value to another, the two ends. */
  readonly ends: readonly Settings[]
}

function ratioAt(keepRatio: KeepRatios, { step, steps, draw }: StepPlace): number {
  if (typeof keepRatio === 'number') return keepRatio
  if ('from' in keepRatio) {
    const share = steps > 1 ? step / (steps - 1) : 0
    return keepRatio.from + (keepRatio.to - keepRatio.from) * share
  }
  return keepRatio[Math.floor(draw * keepRatio.length)] ?? Number.NaN
}

function endsOf(keepRatio: KeepRatios): readonly number[] {
  if (typeof keepRatio === 'number') return [keepRatio]
  return 'from' in keepRatio ? [keepRatio.from, keepRatio.to] : keepRatio
}

/** What a recipe says, step by step. */
export function settingsPlan({ keepRatio, reduce }: TrainedSettings): SettingsPlan {
  const constant: Settings = reduce === undefined ? {} : { reduce }
  if (keepRatio === undefined) return { at: () => constant, ends: [constant] }
  return {
    at: (place) => ({ ...constant, keepRatio: ratioAt(keepRatio, place) }),
    ends: endsOf(keepRatio).map((end) => ({ ...constant, keepRatio: end })),
  }
}
