import { matmul, reshape, transpose } from '../../../src/graph/ops/index.js'
import { sizeAt, type Tensor } from '../../../src/graph/tensor.js'
import {
  type GridSides,
  gridMarks,
  type PositionTables,
  positionTerms,
} from '../../../src/nn/relative-position.js'

/** What relative positions add to all scores of a grid, as the official code has it. @returns `[batch, heads, rows·columns, rows·columns]` */
export function positionBias(
  queries: Tensor,
  { heads, tables, ...sides }: GridSides & { heads: number; tables: PositionTables },
): Tensor {
  const places = sides.rows * sides.columns
  const terms = transpose(positionTerms(queries, { heads, tables, ...sides }), [0, 2, 1, 3])
  const marks = gridMarks(sides)
  return matmul(terms, reshape(marks, [1, 1, places, Number(sizeAt(marks, 2))]), { transposeB: true })
}
