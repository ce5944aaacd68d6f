import { defined } from '../base/assert.js'
import { movedBiases, type WindowBiases } from './attention-biases.js'
import { resamplePositionEmbedding } from './position-embedding.js'
import { readFloats } from './read-floats.js'
import { storedFrom } from './stored-from.js'
import type { StoredTensors } from './stored-tensor.js'

/** What decides the tables of places that a model has learned; an architecture says it. */
export interface PositionedModel {
  readonly grid: { readonly rows: number; readonly columns: number }
  readonly facts: {
    /** Channels of a token. */
    readonly width: number
    readonly positionEmbedding:
      | { readonly parameter: string; readonly prefix: number; readonly resampling: string | undefined }
      | undefined
    readonly attentionBiases?: readonly WindowBiases[]
  }
}

/**
 * Whether the filter widens where a model's grid shrinks: as the library that it is from has it, and as timm does for
 * those of which no library says.
 */
export function isAntialiased({ facts }: PositionedModel): boolean {
  return facts.positionEmbedding?.resampling !== 'bicubic'
}

/**
 * A model's weights for another grid: only its position embedding and biases of attention in windows depend on it, all else
 * is as it was stored.
 */
export async function fitToGrid(
  weights: StoredTensors,
  { from, to }: { readonly from: PositionedModel; readonly to: PositionedModel },
): Promise<StoredTensors> {
  const { rows, columns } = to.grid
  if (rows === from.grid.rows && columns === from.grid.columns) return weights
  const { positionEmbedding, width, attentionBiases = [] } = from.facts
  const moved = await movedBiases(weights, { from: attentionBiases, to: to.facts.attentionBiases ?? [] })
  const fitted = moved.size === 0 ? weights : new Map([...weights, ...moved])
  if (!positionEmbedding) return fitted
  const { parameter, prefix } = positionEmbedding
  const resampled = resamplePositionEmbedding(
    await readFloats(defined(weights.get(parameter), 'the position embedding')),
    {
      ...{ prefix, width, antialias: isAntialiased(from) },
      from: [from.grid.rows, from.grid.columns],
      to: [rows, columns],
    },
  )
  return new Map(fitted).set(parameter, storedFrom(resampled, [1, prefix + rows * columns, width]))
}
