import { BlvitError } from '../base/blvit-error.js'
import type { ScoreFunction } from '../models/score-function.js'
import { storedFrom } from '../weights/stored-from.js'
import { convert } from './convert.js'
import type { ModelFiles } from './model-files.js'

/** A linear map from what a model's heads read to class scores, and what the classes are. */
export interface NewHead {
  /** In class order. */
  readonly labels: readonly string[]
  /** How its numbers become scores. */
  readonly scores: ScoreFunction
  /** `[classes, inputs]`, row-major */
  readonly weight: ArrayLike<number>
  /** `[classes]` */
  readonly bias: ArrayLike<number>
}

/** A model with other classes, whose head starts anew; everything else as it was. @throws BlvitError `BAD_CONFIG` */
export async function withClasses(
  source: ModelFiles,
  { labels, scores }: Pick<NewHead, 'labels' | 'scores'>,
): Promise<ModelFiles> {
  const set = { num_classes: labels.length }
  const { files } = await convert(source, source.architecture, { set })
  return { ...files, labels, scores, assumptions: [] }
}

/**
 * A model with another head.
 * @throws BlvitError `SHAPE_MISMATCH` for a head that reads vectors of another length or gives other classes
 */
export async function withHead(source: ModelFiles, head: NewHead): Promise<ModelFiles> {
  const { labels, weight, bias } = head
  const files = await withClasses(source, head)
  const { heads } = files.architecture.facts
  const weights = new Map(files.weights)
  const classes = labels.length
  const width = heads.reduce((sum, name) => sum + (weights.get(`${name}.weight`)?.shape.at(-1) ?? 0), 0)
  if (weight.length !== classes * width || bias.length !== classes) {
    throw new BlvitError(
      'SHAPE_MISMATCH',
      `The head has ${weight.length} weights and ${bias.length} biases, but a model with ${classes} classes whose heads ` +
        `read ${width} numbers needs ${classes * width} and ${classes}.`,
      { weights: weight.length, biases: bias.length, classes, width },
    )
  }
  let from = 0
  for (const name of heads) {
    const inputs = weights.get(`${name}.weight`)?.shape.at(-1) ?? 0
    const own = new Float32Array(classes * inputs)
    for (let at = 0; at < own.length; at++) {
      const column = from + (at % inputs)
      // the logits are the mean of the heads' answers
      own[at] = heads.length * (weight[Math.floor(at / inputs) * width + column] ?? Number.NaN)
    }
    weights.set(`${name}.weight`, storedFrom(own, [classes, inputs]))
    weights.set(`${name}.bias`, storedFrom(Float32Array.from(bias), [classes]))
    from += inputs
  }
  return { ...files, weights }
}
