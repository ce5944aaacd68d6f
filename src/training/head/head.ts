import type { ScoreFunction } from '../../models/score-function.js'
import { scoresOf } from '../../problems/classify.js'
import type { LabelledFeatures, Scale } from './labelled-features.js'

/** How the scores of a head that is fitted are made: classes exclude each other, or each is answered for itself. */
export type HeadScores = Exclude<ScoreFunction, 'none'>

/** A linear map from vectors to class scores. */
export interface Head {
  /** `[classes, inputs]`, row-major */
  readonly weight: Float64Array
  /** `[classes]` */
  readonly bias: Float64Array
}

/** The head that does to features as they are what this one does to scaled ones. */
export function unscaled({ weight, bias }: Head, { mean, deviation }: Scale): Head {
  const inputs = mean.length
  const own = weight.map((value, at) => value / (deviation[at % inputs] as number))
  const shifted = bias.map((value, label) => {
    let sum = value
    for (let i = 0; i < inputs; i++) sum -= (own[label * inputs + i] as number) * (mean[i] as number)
    return sum
  })
  return { weight: own, bias: shifted }
}

/** What a head says of pictures. @returns `[count, classes]` */
export function headScores(
  { weight, bias }: Head,
  { count, inputs, values }: LabelledFeatures,
  kind: HeadScores,
): Float32Array {
  const classes = bias.length
  const scores = new Float32Array(count * classes)
  for (let row = 0; row < count; row++) {
    const vector = values.subarray(row * inputs, (row + 1) * inputs)
    const logits = bias.map((start, label) => {
      let sum = start
      for (let i = 0; i < inputs; i++) sum += (weight[label * inputs + i] as number) * (vector[i] as number)
      return sum
    })
    scores.set(scoresOf(logits, kind), row * classes)
  }
  return scores
}
