import { defined } from '../../base/assert.js'
import { throwIfAborted } from '../../base/blvit-error.js'
import { laterTurn } from '../../base/turn.js'
import { symbol } from '../../graph/dim.js'
import { gradients } from '../../graph/gradients.js'
import { graphOf } from '../../graph/graph.js'
import { zeros } from '../../graph/initialiser.js'
import { input, linear, parameter } from '../../graph/ops/index.js'
import type { Runtime, Session, TensorData } from '../../runtime/runtime.js'
import { binaryCrossEntropy, crossEntropy } from '../objectives/index.js'
import type { Head, HeadScores } from './head.js'
import type { LabelledFeatures } from './labelled-features.js'
import { minimise } from './minimise.js'

export interface HeadSizes {
  readonly inputs: number
  readonly classes: number
  readonly scores: HeadScores
}

export interface FitOptions {
  /** λ: what the squares of the weights count beside the mean loss, half of it. */
  readonly penalty: number
  /** What each class counts, so that those with few pictures aren't drowned. Default: every picture counts 1. */
  readonly classWeights?: readonly number[] | undefined
  /** Where to begin. Default: zeros. */
  readonly start?: Head | undefined
  readonly signal?: AbortSignal | undefined
}

const losses = { softmax: crossEntropy, sigmoid: binaryCrossEntropy } satisfies Record<HeadScores, unknown>

/** Numbers of scores that a run has at most: memory stays small, and Ctrl-C is heard between two runs. */
const scoresPerRun = 4_000_000
const rowsPerRun = 16_384

/** A linear head's loss, slopes and scores as graphs of the engine: products of matrices are its work. */
function graphsOf({ inputs, classes, scores }: HeadSizes) {
  const x = input('x', [symbol('batch'), inputs])
  const targets = input('targets', [symbol('batch'), classes])
  const weight = parameter('weight', [classes, inputs], zeros)
  const bias = parameter('bias', [classes], zeros)
  const logits = linear(x, weight, bias)
  const loss = losses[scores](logits, targets)
  const [ofWeight, ofBias] = gradients(loss, [weight, bias])
  return {
    learning: graphOf('head_loss', {
      loss,
      weight_gradient: defined(ofWeight, 'a gradient'),
      bias_gradient: defined(ofBias, 'a gradient'),
    }),
    answering: graphOf('head', { logits }),
  }
}

/** Fits linear heads of one size, and answers with them. */
export class HeadSession implements AsyncDisposable {
  private constructor(
    private readonly sizes: HeadSizes,
    private readonly learning: Session,
    private readonly answering: Session,
  ) {}

  /** @throws BlvitError `ENGINE` */
  static async open(
    runtime: Runtime,
    sizes: HeadSizes,
    options: { readonly threads?: number | undefined } = {},
  ): Promise<HeadSession> {
    const { learning, answering } = graphsOf(sizes)
    const fed = { ...options, trained: new Set(['weight', 'bias']) }
    const first = await runtime.load(learning, new Map(), fed)
    return new HeadSession(sizes, first, await runtime.load(answering, new Map(), fed))
  }

  /**
   * The head with the least loss on some pictures: cross-entropy, and the penalty on its weights. It is convex: there is one.
   * @throws BlvitError `ABORTED`, `ENGINE`
   */
  async fit(features: LabelledFeatures, { penalty, classWeights, start, signal }: FitOptions): Promise<Head> {
    const { inputs, classes } = this.sizes
    const weights = classes * inputs
    const headAt = (point: Float64Array): Head => ({
      weight: point.subarray(0, weights),
      bias: point.subarray(weights),
    })
    const counts = countsOf(features, classWeights)
    const total = counts.reduce((a, b) => a + b, 0)
    const evaluate = async (point: Float64Array) => {
      let value = 0
      const gradient = new Float64Array(point.length)
      const head = fedHead(headAt(point), this.sizes)
      for (const { x, targets, rows } of this.pieces(features, counts)) {
        await laterTurn()
        throwIfAborted(signal)
        const found = await this.learning.run({ x, targets, ...head })
        // the graph's loss is a mean over the rows of a piece
        const share = rows / total
        value += share * numberOf(found.loss)
        addTo(gradient, 0, found.weight_gradient, share)
        addTo(gradient, weights, found.bias_gradient, share)
      }
      for (let i = 0; i < weights; i++) {
        value += (penalty / 2) * (point[i] as number) ** 2
        gradient[i] = (gradient[i] as number) + penalty * (point[i] as number)
      }
      return { value, gradient }
    }
    const from = new Float64Array(weights + classes)
    if (start) {
      from.set(start.weight)
      from.set(start.bias, weights)
    }
    return headAt(await minimise(evaluate, from, { signal }))
  }

  /** The class scores of pictures before softmax or sigmoid, some rows at a time. @returns each `[rows, classes]` */
  async *logits(
    head: Head,
    features: LabelledFeatures,
    signal?: AbortSignal,
  ): AsyncGenerator<{ readonly from: number; readonly values: Float32Array }> {
    const fed = fedHead(head, this.sizes)
    for (const { x, from } of this.pieces(features)) {
      await laterTurn()
      throwIfAborted(signal)
      const { logits } = await this.answering.run({ x, ...fed })
      yield { from, values: floatsOf(logits) }
    }
  }

  private *pieces(features: LabelledFeatures, counts?: Float64Array) {
    const { inputs, classes, scores } = this.sizes
    const size = Math.max(1, Math.min(rowsPerRun, Math.floor(scoresPerRun / classes)))
    for (let from = 0; from < features.count; from += size) {
      const rows = Math.min(size, features.count - from)
      const targets = new Float32Array(counts ? rows * classes : 0)
      for (let row = 0; counts && row < rows; row++) {
        const count = scores === 'softmax' ? (counts[from + row] as number) : 1
        for (const label of features.labels[from + row] ?? []) targets[row * classes + label] = count
      }
      const values = features.values.subarray(from * inputs, (from + rows) * inputs)
      const tensor = (data: Float32Array, width: number): TensorData => ({
        ...{ dtype: 'float32', shape: [rows, width], values: data },
      })
      yield { from, rows, x: tensor(values, inputs), targets: tensor(targets, classes) }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.learning.dispose()
    await this.answering.dispose()
  }
}

/** What each picture counts. */
function countsOf(
  { count, labels }: LabelledFeatures,
  classWeights: readonly number[] | undefined,
): Float64Array {
  return Float64Array.from({ length: count }, (_, row) => classWeights?.[labels[row]?.[0] ?? 0] ?? 1)
}

function fedHead({ weight, bias }: Head, { inputs, classes }: HeadSizes) {
  return {
    weight: { dtype: 'float32', shape: [classes, inputs], values: Float32Array.from(weight) },
    bias: { dtype: 'float32', shape: [classes], values: Float32Array.from(bias) },
  } as const
}

function floatsOf(tensor: TensorData | undefined): Float32Array {
  if (tensor?.dtype !== 'float32') throw new Error('blvit bug: the head has no such output')
  return tensor.values
}

function numberOf(tensor: TensorData | undefined): number {
  return floatsOf(tensor)[0] ?? Number.NaN
}

function addTo(sum: Float64Array, from: number, tensor: TensorData | undefined, share: number): void {
  const values = floatsOf(tensor)
  for (let i = 0; i < values.length; i++)
    sum[from + i] = (sum[from + i] as number) + share * (values[i] as number)
}
