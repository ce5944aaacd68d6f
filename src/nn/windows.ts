import { type Dim, times } from '../graph/dim.js'
import { concat, constant, pad, pick, reshape, slice, transpose } from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { channelsOf, placesOf } from './convolution.js'

/** A grid, cut into square windows row by row; the last ones may reach over its end. */
export interface WindowPlan {
  /** Of the grid. */
  readonly rows: number
  readonly columns: number
  /** Of a window, in places. */
  readonly side: number
  /** Windows in a column and in a row of them. */
  readonly down: number
  readonly across: number
}

export function windowPlan({ rows, columns }: { rows: number; columns: number }, side: number): WindowPlan {
  return { rows, columns, side, down: Math.ceil(rows / side), across: Math.ceil(columns / side) }
}

/** How many places of the windows lie outside of the grid. */
export function paddingCount({ rows, columns, side, down, across }: WindowPlan): number {
  return down * side * across * side - rows * columns
}

/** What a window has of the grid. */
interface RealTokens {
  readonly rows: number
  readonly columns: number
  /** Their numbers, row by row. */
  readonly tokens: readonly number[]
}

/** The tokens of each window, without the places outside of the grid. */
export function realTokens(plan: WindowPlan): readonly RealTokens[] {
  const { side, down, across } = plan
  return Array.from({ length: down * across }, (_, window) => {
    const [top, left] = [Math.floor(window / across) * side, (window % across) * side]
    const [rows, columns] = [Math.min(side, plan.rows - top), Math.min(side, plan.columns - left)]
    const tokens = Array.from({ length: rows * columns }, (_, at) => {
      const row = top + Math.floor(at / columns)
      return row * plan.columns + left + (at % columns)
    })
    return { rows, columns, tokens }
  })
}

/**
 * The number of the token at each place of the windows, window by window; that of the row behind the last token where there is
 * none. Every layer asks for these thousands of numbers, so they are counted without an object for each.
 */
function tokenNumbers({ rows, columns, side, down, across }: WindowPlan): readonly number[] {
  const numbers: number[] = []
  for (let window = 0; window < down * across; window++) {
    const [top, left] = [Math.floor(window / across) * side, (window % across) * side]
    for (let row = top; row < top + side; row++) {
      for (let column = left; column < left + side; column++)
        numbers.push(row < rows && column < columns ? row * columns + column : rows * columns)
    }
  }
  return numbers
}

/** The place in the windows of each token. */
function placeNumbers({ rows, columns, side, across }: WindowPlan): readonly number[] {
  const numbers: number[] = []
  for (let row = 0; row < rows; row++) {
    const [firstWindow, inWindow] = [Math.floor(row / side) * across, (row % side) * side]
    for (let column = 0; column < columns; column++) {
      const window = firstWindow + Math.floor(column / side)
      numbers.push(window * side * side + inWindow + (column % side))
    }
  }
  return numbers
}

/**
 * Tokens with one row of zeros behind them, which stands for all places outside of the grid: what a linear map makes of it
 * needn't be computed for each of them.
 * @param tokens `[batch, rows·columns, width]`, as they are where the windows fill the grid
 */
export function withPaddingRow(tokens: Tensor, plan: WindowPlan): Tensor {
  if (paddingCount(plan) === 0) return tokens
  return concat([tokens, constant(0, [sizeAt(tokens, 0), 1, sizeAt(tokens, 2)])], { axis: 1 })
}

/**
 * @param tokens of {@link withPaddingRow}, or made of them row by row
 * @param options `windows`: the numbers of those that are wanted; default: all
 * @returns `[batch·windows, side², width]`
 */
export function tokensToWindows(
  tokens: Tensor,
  plan: WindowPlan,
  { windows }: { windows?: readonly number[] } = {},
): Tensor {
  const { side, down, across } = plan
  const [all, places] = [tokenNumbers(plan), side * side]
  const numbers = windows?.flatMap((window) => all.slice(window * places, (window + 1) * places)) ?? all
  return reshape(pick(tokens, numbers, { axis: 1 }), [
    times(sizeAt(tokens, 0), windows?.length ?? down * across),
    places,
    sizeAt(tokens, 2),
  ])
}

/** What {@link tokensToWindows} undoes. @param windows `[batch·windows, side², width]` @param batch how many pictures */
export function windowsToTokens(windows: Tensor, plan: WindowPlan, batch: Dim): Tensor {
  const { side, down, across } = plan
  const all = reshape(windows, [batch, down * across * side * side, sizeAt(windows, 2)])
  return pick(all, placeNumbers(plan), { axis: 1 })
}

/**
 * Does something in square windows of a map that don't see each other, row by row; a map that the windows don't fill gets
 * zeros below and to the right, which count as places of the last windows and are cut off afterwards.
 * @param map `[batch, channels, rows, columns]`
 * @param side of a window, in places
 * @param inside of windows `[batch·windows, channels, side, side]`, which keeps their shape
 */
export function inWindows(map: Tensor, side: number, inside: (windows: Tensor) => Tensor): Tensor {
  const { rows, columns, down, across } = windowPlan(placesOf(map), side)
  const [batch, channels] = [sizeAt(map, 0), channelsOf(map)]
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
