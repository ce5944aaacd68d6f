import { times } from '../graph/dim.js'
import { pad, reshape, slice, transpose } from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { channelsOf, placesOf } from './convolution.js'

/**
 * Does something in square windows of a map that don't see each other, row by row; a map that the windows don't fill gets
 * zeros below and to the right, which count as places of the last windows and are cut off afterwards.
 * @param map `[batch, channels, rows, columns]`
 * @param side of a window, in places
 * @param inside of windows `[batch·windows, channels, side, side]`, which keeps their shape
 */
export function inWindows(map: Tensor, side: number, inside: (windows: Tensor) => Tensor): Tensor {
  const { rows, columns } = placesOf(map)
  const [batch, channels] = [sizeAt(map, 0), channelsOf(map)]
  const [down, across] = [Math.ceil(rows / side), Math.ceil(columns / side)]
  if (down === 1 && across === 1 && rows === side && columns === side) return inside(map)
  const filled = pad(pad(map, { axis: 2, after: down * side - rows }), {
    axis: 3,
    after: across * side - columns,
  })
  // [batch, down, across, channels, side, side]
  const cut = transpose(reshape(filled, [batch, channels, down, side, across, side]), [0, 2, 4, 1, 3, 5])
  const windows = reshape(cut, [times(batch, down * across), channels, side, side])
  const apart = reshape(inside(windows), [batch, down, across, channels, side, side])
  const joined = reshape(transpose(apart, [0, 3, 1, 4, 2, 5]), [batch, channels, down * side, across * side])
  return slice(slice(joined, { axis: 2, end: rows }), { axis: 3, end: columns })
}
