import { BlvitError } from '../base/blvit-error.js'
import { programOf } from '../models/model-definition.js'
import { type AnswerContext, type OutputRow, type Problem, rowOf } from './problem.js'

/**
 * What a picture's vector is made of: the class token, the mean of the patches, one after the other, or CLIP's image
 * embedding, which its text embeddings can be compared with.
 */
export const poolings = ['cls', 'mean', 'both', 'projection'] as const
export type Pooling = (typeof poolings)[number]

export interface EmbedOptions {
  /** Default `cls`; `mean` for a model without a class token. */
  readonly pooling?: Pooling | undefined
  /** Divide the vector by its length (L2), so that products of two are cosines. Default false. */
  readonly normalize?: boolean | undefined
}

function poolingOf({ pooling }: EmbedOptions, { classToken }: AnswerContext): Pooling {
  return pooling ?? (classToken ? 'cls' : 'mean')
}

/** The mean of the patch tokens; one that stands for several patches counts as often. */
function patchMean({ shape, values }: OutputRow, prefix: number, sizes: OutputRow | undefined): Float64Array {
  const [tokens = 0, width = 0] = shape
  const sum = new Float64Array(width)
  let total = 0
  for (let token = prefix; token < tokens; token++) {
    const weight = sizes?.values[token] ?? 1
    total += weight
    for (let i = 0; i < width; i++) sum[i] = (sum[i] ?? 0) + weight * (values[token * width + i] ?? 0)
  }
  return sum.map((value) => value / total)
}

function pooled(
  rows: Readonly<Record<string, OutputRow>>,
  pooling: Pooling,
  { prefix }: AnswerContext,
): Float32Array {
  if (pooling === 'projection') return rowOf(rows, 'embedding').values.slice()
  const features = rowOf(rows, 'features')
  const [, width = 0] = features.shape
  const cls = pooling === 'mean' ? [] : features.values.subarray(0, width)
  const mean = pooling === 'cls' ? [] : patchMean(features, prefix, rows.token_sizes)
  return Float32Array.from([...cls, ...mean])
}

function normalized(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  // a vector of zeros has no direction: it stays what it is
  return length === 0 ? vector : vector.map((value) => value / length)
}

/** A picture as a vector: what the model saw, for search, clustering, and classifiers of one's own. */
export const embed: Problem<Float32Array, EmbedOptions> = {
  name: 'embed',
  optionKeys: { pooling: true, normalize: true },
  outputs: (model) => {
    const program = programOf(model, 'embed')
    if (!program.features) throw new BlvitError('UNSUPPORTED', 'This model gives no features.')
    return program
  },
  check: ({ pooling }, { classToken, projection }) => {
    if (pooling !== undefined && !poolings.includes(pooling)) {
      throw new BlvitError('BAD_OPTION', `pooling is "${pooling}"; it must be one of ${poolings.join(', ')}.`)
    }
    if (pooling === 'projection') {
      if (projection !== undefined) return
      const message = `This model has no projection: pooling "projection" is for CLIP's vision towers that come with theirs.`
      throw new BlvitError('BAD_OPTION', message)
    }
    if (classToken || pooling === undefined || pooling === 'mean') return
    throw new BlvitError(
      'BAD_OPTION',
      `This model has no class token: pooling "${pooling}" needs one. Use "mean".`,
    )
  },
  answer: (rows, context, options) => {
    const pooling = poolingOf(options, context)
    const vector = pooled(rows, pooling, context)
    return options.normalize ? normalized(vector) : vector
  },
}
