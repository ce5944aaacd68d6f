import { BlvitError } from '../base/blvit-error.js'
import type { DataSet } from '../data/data-set.js'
import type { Bindings } from '../graph/dim.js'
import { type Graph, graphOf } from '../graph/graph.js'
import { operand } from '../graph/op.js'
import { reshape } from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { type ModelDefinition, programOf } from '../models/model-definition.js'
import type { Problem } from '../problems/problem.js'
import type { Settings } from '../settings/settings.js'
import type { Model } from '../tasks/model.js'

/** Pictures that a mean is taken of: a count of tokens spreads by a tenth of itself, so that it is known to 1 %. */
const picturesCounted = 128

/** Before the name of a size in that of an output. */
const counted = 'counted.'

/** Masks of what goes on, as outputs of a run of one picture, each `[1, tokens]`. */
function masksOf({ nodes }: Graph): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(
    nodes.flatMap(({ counts, inputs }) => {
      if (!counts) return []
      const mask = operand(inputs, 1)
      return [[`${counted}${counts.size}`, reshape(mask, [1, sizeAt(mask, 0)])]]
    }),
  )
}

/** The sizes that a picture decides. */
const countedSizes: Problem<Bindings> = {
  name: 'counted sizes',
  outputs: (model: ModelDefinition) => {
    const classify = programOf(model, 'classify')
    return { ...classify, ...masksOf(graphOf('counted sizes', classify, { sizes: model.sizes })) }
  },
  answer: (rows) =>
    Object.fromEntries(
      Object.entries(rows).flatMap(([name, { values }]) =>
        name.startsWith(counted)
          ? [[name.slice(counted.length), values.filter((stays) => stays > 0).length]]
          : [],
      ),
    ),
}

/** What pictures decided, on average. */
export interface MeanSizes {
  readonly pictures: number
  readonly sizes: Bindings
}

/**
 * The mean of each size that pictures decide, over the first pictures of a data set, each alone.
 * @throws BlvitError as `Model.answer`; a picture that can't be read is passed over
 */
export async function meanSizes(
  model: Model,
  settings: Settings,
  { dataSet, signal }: { readonly dataSet: DataSet; readonly signal: AbortSignal | undefined },
): Promise<MeanSizes> {
  const sums: Record<string, number> = {}
  let pictures = 0
  for await (const item of dataSet.items({ signal })) {
    if (pictures === picturesCounted) break
    if ('error' in item) continue
    try {
      const [answered] = await model.answer(countedSizes, item.source, { ...settings, signal })
      for (const [size, count] of Object.entries(answered?.answer ?? {}))
        sums[size] = (sums[size] ?? 0) + count
      pictures += 1
    } catch (thrown) {
      if (!(thrown instanceof BlvitError) || thrown.code !== 'BAD_IMAGE') throw thrown
    }
  }
  const mean = Object.entries(sums).map(([size, sum]) => [size, sum / pictures])
  return { pictures, sizes: Object.fromEntries(mean) }
}
