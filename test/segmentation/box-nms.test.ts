import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keepApart } from '../../src/segmentation/box-nms.js'
import type { BoxXyxy } from '../../src/segmentation/restored-mask.js'
import { boxIou } from '../../src/segmentation/rle-overlap.js'

const side = fc.integer({ min: 0, max: 20 })
const box = fc.tuple(side, side, side, side).map(([x, y, w, h]): BoxXyxy => [x, y, x + w, y + h])
const scored = fc.array(fc.tuple(box, fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 30 })
const threshold = fc.double({ min: 0.05, max: 0.95, noNaN: true })

function iouOf([ax0, ay0, ax1, ay1]: BoxXyxy, [bx0, by0, bx1, by1]: BoxXyxy): number {
  return boxIou([ax0, ay0, ax1 - ax0, ay1 - ay0], [bx0, by0, bx1 - bx0, by1 - by0])
}

test('what stays lies apart, best first, and whatever went overlaps something better that stayed', () => {
  fc.assert(
    fc.property(scored, threshold, (list, iou) => {
      const boxes = list.map(([one]) => one)
      const scores = list.map(([, score]) => score)
      const kept = keepApart(boxes, scores, { iou })
      const at = (place: number) => [boxes[place] ?? ([0, 0, 0, 0] as const), scores[place] ?? 0] as const
      kept.forEach((place, rank) => {
        for (const other of kept.slice(0, rank)) {
          expect(iouOf(at(place)[0], at(other)[0])).toBeLessThanOrEqual(iou)
          expect(at(other)[1]).toBeGreaterThanOrEqual(at(place)[1])
        }
      })
      boxes.forEach((lost, place) => {
        if (kept.includes(place)) return
        expect(kept.some((other) => iouOf(lost, at(other)[0]) > iou && at(other)[1] >= at(place)[1])).toBe(
          true,
        )
      })
    }),
  )
})
