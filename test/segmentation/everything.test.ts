import { describe, expect, test } from 'vitest'
import type { Crop } from '../../src/segmentation/crops.js'
import {
  type EncodedCrop,
  type EverythingOptions,
  findEverything,
} from '../../src/segmentation/everything.js'
import { type FrameFit, scaleToPicture } from '../../src/segmentation/frame.js'
import type { LowResMasks } from '../../src/segmentation/low-res-masks.js'
import { decodeRle } from '../../src/segmentation/rle.js'

const picture = { height: 160, width: 240 }

interface Disc {
  readonly x: number
  readonly y: number
  readonly radius: number
  /** Logits fall from this in the middle to 0 at the border. */
  readonly sureness: number
  readonly iou: number
}

const discs: readonly Disc[] = [
  { x: 60, y: 50, radius: 30, sureness: 400, iou: 0.95 },
  { x: 170, y: 90, radius: 40, sureness: 400, iou: 0.93 },
  // found, and thought little of
  { x: 60, y: 120, radius: 20, sureness: 400, iou: 0.5 },
  // its border is anywhere
  { x: 215, y: 20, radius: 15, sureness: 4, iou: 0.99 },
]

const frame: FrameFit = {
  height: 240,
  width: 240,
  maskRows: 120,
  maskColumns: 120,
  fit: 'pad',
  upscaling: 'bilinear',
}

/** Answers a click with the disc below it, exactly: a model whose answers are known. */
function discModel(seen: Crop[] = []): (crop: Crop) => Promise<EncodedCrop> {
  return async (crop) => {
    seen.push(crop)
    const scale = Math.max(crop.height, crop.width) / frame.maskRows
    return {
      scale: scaleToPicture(crop, frame),
      predict: async (points): Promise<LowResMasks> => {
        const count = points.length / 2
        const { maskRows: rows, maskColumns: columns } = frame
        const logits = new Float32Array(count * rows * columns)
        const iouPredictions = new Float32Array(count)
        for (let click = 0; click < count; click++) {
          const [x, y] = [(points[2 * click] ?? 0) + crop.left, (points[2 * click + 1] ?? 0) + crop.top]
          const disc = discs.find((one) => Math.hypot(one.x - x, one.y - y) < one.radius)
          iouPredictions[click] = disc?.iou ?? 0
          for (let at = 0; at < rows * columns; at++) {
            const [px, py] = [
              ((at % columns) + 0.5) * scale + crop.left,
              (Math.floor(at / columns) + 0.5) * scale + crop.top,
            ]
            const inside = disc ? 1 - Math.hypot(px - disc.x, py - disc.y) / disc.radius : -1
            logits[click * rows * columns + at] = inside * (disc?.sureness ?? 1)
          }
        }
        return { count, masks: 1, rows, columns, logits, iouPredictions }
      },
    }
  }
}

const few: EverythingOptions = { pointsPerSide: 8, pointsPerRun: 5 }

describe('masks of everything', () => {
  test('each sure object once, the best first; what is unlikely or unstable is left out', async () => {
    const found = await findEverything(picture, discModel(), few)
    expect(found.map(({ predictedIou }) => predictedIou.toFixed(2))).toEqual(['0.95', '0.93'])
    for (const [index, mask] of found.entries()) {
      const { x, y, radius } = discs[index] as Disc
      expect(Math.abs(mask.area - Math.PI * radius ** 2)).toBeLessThan(0.03 * mask.area)
      expect(mask.stability).toBeGreaterThan(0.95)
      mask.box.forEach((side, at) => {
        const centre = at % 2 === 0 ? x : y
        expect(Math.abs(side - (at < 2 ? centre - radius : centre + radius))).toBeLessThanOrEqual(2)
      })
      expect(Math.hypot(mask.point[0] - x, mask.point[1] - y)).toBeLessThan(radius)
      expect(decodeRle(mask.mask).values.reduce((sum, value) => sum + value, 0)).toBe(mask.area)
    }
  })

  test('with lower thresholds all of them', async () => {
    const found = await findEverything(picture, discModel(), { ...few, minIou: 0.3, minStability: 0 })
    expect(found).toHaveLength(4)
  })

  test('crops find the same objects, those that they cut off come from the whole picture', async () => {
    const seen: Crop[] = []
    const found = await findEverything(picture, discModel(seen), { ...few, cropLayers: 1 })
    expect(seen).toHaveLength(5)
    expect(found.map(({ predictedIou }) => predictedIou.toFixed(2)).sort()).toEqual(['0.93', '0.95'])
    // the first disc lies within the first crop, the second is cut by every crop or lies in one of its own
    expect(found.find(({ predictedIou }) => predictedIou > 0.94)?.crop.layer).toBe(1)
  })

  test('progress counts clicks to the last one', async () => {
    const steps: number[] = []
    await findEverything(picture, discModel(), {
      ...few,
      onProgress: ({ done, total }) => {
        expect(total).toBe(64)
        steps.push(done)
      },
    })
    expect(steps.at(0)).toBe(5)
    expect(steps.at(-1)).toBe(64)
  })

  test('an aborted search ends', async () => {
    const controller = new AbortController()
    const search = findEverything(picture, discModel(), {
      ...few,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    })
    await expect(search).rejects.toMatchObject({ code: 'ABORTED' })
  })
})
