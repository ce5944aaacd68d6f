import type { BoxXyxy } from './restored-mask.js'
import { boxIou } from './rle-overlap.js'

/**
 * Greedy suppression: the best box stays, those that overlap it by more than `iou` go, and so on.
 * @returns places of those that stay, the best first; of equal scores the first
 */
export function keepApart(
  boxes: readonly BoxXyxy[],
  scores: readonly number[],
  { iou }: { readonly iou: number },
): number[] {
  const order = boxes.map((_, place) => place).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0))
  const kept: { readonly place: number; readonly box: readonly [number, number, number, number] }[] = []
  for (const place of order) {
    const [x0, y0, x1, y1] = boxes[place] ?? [0, 0, 0, 0]
    const box = [x0, y0, x1 - x0, y1 - y0] as const
    if (kept.every((other) => boxIou(box, other.box) <= iou)) kept.push({ place, box })
  }
  return kept.map(({ place }) => place)
}
