import { times } from '../graph/dim.js'
import { reshape, resizeBilinear, transpose } from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { channelsOf, placesOf } from './convolution.js'
import { widthOf } from './linear.js'

/** Rows and columns of a patch, in places of the map. */
export interface PatchSides {
  readonly rows: number
  readonly columns: number
}

/**
 * Does something with the places of a map that have the same position in their patches: each group is a sequence with a token
 * for each patch, row by row, and sees nothing of the other groups. A map that patches don't fill is resized to one that they
 * do (bilinear), and back afterwards.
 * @param map `[batch, width, rows, columns]`
 * @param along of sequences `[batch·places of a patch, patches, width]`, which keeps their shape
 */
export function acrossPatches(
  map: Tensor,
  { rows: patchRows, columns: patchColumns }: PatchSides,
  along: (groups: Tensor) => Tensor,
): Tensor {
  const { rows, columns } = placesOf(map)
  const [batch, width] = [sizeAt(map, 0), channelsOf(map)]
  const [down, across] = [Math.ceil(rows / patchRows), Math.ceil(columns / patchColumns)]
  const [height, length] = [down * patchRows, across * patchColumns]
  const isFilled = height === rows && length === columns
  const filled = isFilled ? map : resizeBilinear(map, { height, width: length })
  const split = reshape(filled, [batch, width, down, patchRows, across, patchColumns])
  // [batch, row and column in the patch, row and column of the patch, width]
  const grouped = transpose(split, [0, 3, 5, 2, 4, 1])
  const groups = reshape(grouped, [times(batch, patchRows * patchColumns), down * across, width])
  const done = along(groups)
  const apart = reshape(done, [batch, patchRows, patchColumns, down, across, widthOf(done)])
  const joined = reshape(transpose(apart, [0, 5, 3, 1, 4, 2]), [batch, widthOf(done), height, length])
  return isFilled ? joined : resizeBilinear(joined, { height: rows, width: columns })
}
