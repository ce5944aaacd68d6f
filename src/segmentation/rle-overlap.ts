import { assert } from '../base/assert.js'
import { type BoxXywh, type Rle, rleArea, rleBox } from './rle.js'

/** Calls for each stretch over which neither of two masks changes. */
function walkBoth(
  a: readonly number[],
  b: readonly number[],
  visit: (length: number, inA: boolean, inB: boolean) => void,
): void {
  let [runA, runB] = [0, 0]
  let [leftA, leftB] = [a[0] ?? 0, b[0] ?? 0]
  while (runA < a.length && runB < b.length) {
    const length = Math.min(leftA, leftB)
    if (length > 0) visit(length, runA % 2 === 1, runB % 2 === 1)
    leftA -= length
    leftB -= length
    if (leftA === 0) leftA = a[++runA] ?? 0
    if (leftB === 0) leftB = b[++runB] ?? 0
  }
}

/** Pixels that both masks mean. */
export function intersectionArea(a: Rle, b: Rle): number {
  let shared = 0
  walkBoth(a.counts, b.counts, (length, inA, inB) => {
    if (inA && inB) shared += length
  })
  return shared
}

/** Joins masks of one picture. @param how `union` or `intersection` */
export function mergeRles(masks: readonly Rle[], how: 'union' | 'intersection'): Rle {
  const [first, ...others] = masks
  assert(first !== undefined, 'no masks to merge')
  return others.reduce((merged, mask) => {
    assert(merged.size.join() === mask.size.join(), `masks of ${merged.size} and ${mask.size} pixels`)
    const counts: number[] = []
    let meant = false
    let run = 0
    walkBoth(merged.counts, mask.counts, (length, inA, inB) => {
      const now = how === 'union' ? inA || inB : inA && inB
      if (now !== meant) {
        counts.push(run)
        run = 0
        meant = now
      }
      run += length
    })
    counts.push(run)
    return { size: merged.size, counts }
  }, first)
}

/** Area that two boxes share, in square pixels. */
function sharedBoxArea([ax, ay, aw, ah]: BoxXywh, [bx, by, bw, bh]: BoxXywh): number {
  const width = Math.min(ax + aw, bx + bw) - Math.max(ax, bx)
  const height = Math.min(ay + ah, by + bh) - Math.max(ay, by)
  return width <= 0 || height <= 0 ? 0 : width * height
}

/**
 * Shared area by area of the union, 0 … 1.
 * @param options `crowd`: the truth is a crowd, in which a detection lies as a whole: divided by the detection's area alone
 */
export function boxIou(
  detection: BoxXywh,
  truth: BoxXywh,
  { crowd = false }: { readonly crowd?: boolean } = {},
): number {
  const shared = sharedBoxArea(detection, truth)
  const own = detection[2] * detection[3]
  const union = crowd ? own : own + truth[2] * truth[3] - shared
  return union === 0 ? 0 : shared / union
}

/** As {@link boxIou}, of masks of one picture. */
export function maskIou(
  detection: Rle,
  truth: Rle,
  { crowd = false }: { readonly crowd?: boolean } = {},
): number {
  // runs are walked only where boxes meet
  if (sharedBoxArea(rleBox(detection), rleBox(truth)) === 0) return 0
  const shared = intersectionArea(detection, truth)
  if (shared === 0) return 0
  const own = rleArea(detection)
  return shared / (crowd ? own : own + rleArea(truth) - shared)
}
