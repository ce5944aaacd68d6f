import { z } from 'zod'
import type { Architecture } from '../../models/architecture.js'
import type { Trace } from './trace.js'

const index = z.int().min(0)
const count = z.int().min(1)

/** The file that `blvit trace --json` writes. A change that breaks readers gets another version. */
export const traceJsonSchema = z.strictObject({
  version: z.literal(1),
  model: z.string().describe('what the model was loaded by'),
  picture: z.string().describe('path, address or "standard input"'),
  image: z.strictObject({ height: count, width: count }).describe("the model's input, in pixels"),
  patchSize: count.describe('side of a patch in pixels'),
  grid: z.strictObject({ rows: count, columns: count }).describe('how many patches'),
  keepRatio: z.number().gt(0).max(1),
  prefixTokens: index.describe('tokens before the patches, always primary and not counted in any list here'),
  selections: z.array(
    z.strictObject({
      afterLayer: count.describe('the layer after which it was made, counted from 1'),
      layers: z.array(count).describe('the layers that it decides about, counted from 1'),
      kept: count.describe('how many patches are primary'),
      primary: z.array(index).describe('their indices, ascending, counted from 0, row by row'),
      scores: z.array(z.number()).describe('the score of every patch'),
    }),
  ),
  top: z.array(z.strictObject({ index, label: z.string(), probability: z.number().min(0).max(1) })),
})

export type TraceJson = z.infer<typeof traceJsonSchema>

/** What the JSON tells beside the trace itself. */
export interface TraceOrigin {
  readonly model: { readonly name: string; readonly architecture: Pick<Architecture, 'image' | 'prefix'> }
  /** What the picture is called. */
  readonly picture: string
}

/** A trace as the data that {@link traceJsonSchema} describes. */
export function traceJson(trace: Trace, { model, picture }: TraceOrigin): TraceJson {
  const { name, architecture } = model
  const { patchSize, grid, keepRatio, selections, top } = trace
  const { height, width } = architecture.image
  return {
    version: 1,
    model: name,
    picture,
    image: { height, width },
    patchSize,
    grid: { rows: grid.rows, columns: grid.columns },
    keepRatio,
    prefixTokens: architecture.prefix,
    selections: selections.map(({ afterLayer, layers, primary, scores }) => ({
      afterLayer,
      layers: [...layers],
      kept: primary.length,
      primary: [...primary],
      scores: [...scores],
    })),
    top: top.map((scored) => ({ ...scored })),
  }
}
