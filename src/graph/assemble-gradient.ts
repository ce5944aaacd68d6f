import { type Dim, isPositive, minus, plus, type Shape, sameDim } from './dim.js'
import { constant } from './ops/constants.js'
import { add } from './ops/elementwise.js'
import { concat } from './ops/layout.js'
import type { GradientPart, Tensor } from './tensor.js'

/** The gradient of `[start, end)` along an axis. */
type Piece = Exclude<GradientPart, Tensor | undefined>

function isPiece(part: Tensor | Piece): part is Piece {
  return 'gradient' in part
}

function sum(tensors: readonly Tensor[]): Tensor | undefined {
  const [first, ...rest] = tensors
  return first && rest.reduce(add, first)
}

/** Pieces of the same range become one. */
function mergeEqualRanges(pieces: readonly Piece[]): Piece[] {
  const merged: Piece[] = []
  for (const piece of pieces) {
    const same = merged.findIndex(({ start, end }) => sameDim(start, piece.start) && sameDim(end, piece.end))
    const other = merged[same]
    if (other) merged[same] = { ...other, gradient: add(other.gradient, piece.gradient) }
    else merged.push(piece)
  }
  return merged
}

/** Whether a piece can stand behind this position, whatever the run-time sizes are. */
function startsAfter(piece: Piece, position: Dim): boolean {
  return isPositive(plus(minus(piece.start, position), 1))
}

/**
 * Takes from `open` pieces that lie behind each other: as slices that split an axis do, so that their
 * gradient is one concatenation and not a sum of padded parts.
 */
function takeChain(open: Piece[]): Piece[] {
  const chain: Piece[] = []
  let position: Dim = 0
  for (;;) {
    const behind = open.filter((piece) => startsAfter(piece, position))
    const next =
      behind.find(({ start }) => sameDim(start, position)) ??
      behind.find((piece) => behind.every((other) => startsAfter(other, piece.start)))
    if (!next) return chain
    open.splice(open.indexOf(next), 1)
    chain.push(next)
    position = next.end
  }
}

/** One tensor of a chain, zeros where it has gaps. */
function concatenated(chain: readonly Piece[], axis: number, shape: Shape): Tensor {
  const parts: Tensor[] = []
  let position: Dim = 0
  const fillUpTo = (end: Dim) => {
    if (!sameDim(position, end)) parts.push(constant(0, shape.with(axis, minus(end, position))))
  }
  for (const { start, end, gradient } of chain) {
    fillUpTo(start)
    parts.push(gradient)
    position = end
  }
  fillUpTo(shape[axis] ?? 0)
  return parts.length === 1 && parts[0] ? parts[0] : concat(parts, { axis })
}

/** Adds up what the users of a tensor say its gradient is. @param shape the tensor's */
export function assembleGradient(parts: readonly Exclude<GradientPart, undefined>[], shape: Shape): Tensor {
  const whole = parts.filter((part): part is Tensor => !isPiece(part))
  const pieces = parts.filter(isPiece)
  for (const axis of new Set(pieces.map((piece) => piece.axis))) {
    const open = mergeEqualRanges(pieces.filter((piece) => piece.axis === axis))
    while (open.length > 0) {
      const chain = takeChain(open)
      whole.push(concatenated(chain.length > 0 ? chain : open.splice(0, 1), axis, shape))
    }
  }
  const total = sum(whole)
  if (!total) throw new Error('blvit bug: a gradient without parts')
  return total
}
