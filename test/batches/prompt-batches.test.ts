import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { defined } from '../../src/base/assert.js'
import { Batches, type BatchOptions } from '../../src/batches/batches.js'
import type { DataItem } from '../../src/data/data-set.js'
import { openDataSet } from '../../src/data/open-data-set.js'
import type { Preprocessing } from '../../src/image/preprocessing.js'
import { markedSize, writeMarkedPictures } from '../support/marked-pictures.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const folder = temporaryFolder()
const marked = join(folder, 'marked')
beforeAll(() => writeMarkedPictures(marked))

const frame = { height: 32, width: 32, fit: 'pad', mean: [0, 0, 0], std: [1, 1, 1] } as const
const questions = { height: 32, width: 32, maskRows: 16, maskColumns: 16, prompts: 2 }

const open: Batches[] = []
afterEach(async () => {
  for (const batches of open.splice(0)) await batches[Symbol.asyncDispose]()
})

function streamOf(changes: Partial<BatchOptions> = {}): Batches {
  const preprocessing: Preprocessing = {
    height: 32,
    width: 32,
    cropRatio: 1,
    cropMode: 'center',
    filter: 'bicubic',
    mean: [0, 0, 0],
    std: [1, 1, 1],
  }
  const from = { epoch: 0, index: 0 }
  const batches = new Batches({
    ...{ data: [marked], labels: [], preprocessing, seed: 1, from, batch: 4 },
    ...{ masks: { ...frame, questions }, augmentation: 'none' as const, ...changes },
  })
  open.push(batches)
  return batches
}

describe('pictures with masks', () => {
  test("are a data set of COCO's form, a folder or its file; what nobody marked is no part of it", async () => {
    for (const reference of [marked, join(marked, 'instances.json')]) {
      const dataSet = await openDataSet(reference, { labels: 'ignored' })
      const items: DataItem[] = []
      for await (const item of dataSet.items()) items.push(item)
      expect(items.map(({ name }) => name)).toEqual(['a.png', 'b.png'])
      expect(items.map((item) => 'objects' in item && item.objects?.map(({ id }) => id))).toEqual([[1], [2]])
    }
  })

  test('are refused where their file leads out of their folder', async () => {
    const json = {
      images: [{ id: 1, file_name: '../a.png', ...markedSize }],
      annotations: [],
      categories: [],
    }
    await writeFile(join(folder, 'outside.json'), JSON.stringify(json))
    await expect(openDataSet(join(folder, 'outside.json'), { labels: 'ignored' })).rejects.toThrow(
      /\.\.\/a\.png leads out of the folder of the pictures/,
    )
  })
})

describe('batches with prompts', () => {
  test.each([
    ['as they are', 'none' as const],
    ['cropped and mirrored', { crop: { scale: [0.4, 1] as const }, flip: true }],
  ])('have masks and clicks that lie on their pictures, %s', async (_, augmentation) => {
    const batches = streamOf({ augmentation: augmentation as BatchOptions['augmentation'] })
    const kinds = new Set<string>()
    let inside = 0
    for (let step = 0; step < 12; step++) {
      const { pixels, prompts } = await batches.next()
      const { masks, coordinates, labels, points, ambiguous } = defined(prompts, 'prompts')
      expect(masks).toHaveLength(4 * 2 * 16 * 16)
      expect(labels).toHaveLength(4 * 2 * points)
      for (let prompt = 0; prompt < 8; prompt++) {
        const picture = Math.floor(prompt / 2)
        const mask = (x: number, y: number) => masks[(prompt * 16 + y) * 16 + x]
        for (let y = 1; y < 15; y++) {
          for (let x = 1; x < 15; x++) {
            const own = mask(x, y)
            const isBright = [0, 1, 32, 33].map(
              (next) => defined(pixels[(picture * 3 * 32 + 2 * y) * 32 + 2 * x + next], 'a pixel') > 0.5,
            )
            // a cell at the edge is half bright
            if (new Set(isBright).size > 1) continue
            expect(isBright[0]).toBe(own === 1)
            inside += own ?? 0
          }
        }
        const own = [...labels.subarray(prompt * points, (prompt + 1) * points)]
        kinds.add(own.map((label) => (label === 0 ? 1 : label)).join())
        expect(ambiguous[prompt]).toBe(points === 2 ? 1 : 0)
        own.forEach((label, point) => {
          if (label !== 0 && label !== 1) return
          const [x, y] = coordinates.subarray(
            2 * (prompt * points + point),
            2 * (prompt * points + point) + 2,
          )
          const cell = [x, y].map((value) => Math.floor((defined(value, 'a coordinate') + 0.5) / 2))
          expect(mask(cell[0] ?? -1, cell[1] ?? -1)).toBe(label)
        })
      }
    }
    expect(inside).toBeGreaterThan(300)
    expect([...kinds].sort()).toEqual(['1,-1', '1,1,1,-1', '2,3'])
  })

  test('are the same from wherever they begin', async () => {
    const first = streamOf()
    const { after } = await first.next()
    const second = await first.next()
    const again = await streamOf({ from: after }).next()
    expect(again.prompts).toEqual(second.prompts)
  })

  test('are refused with what would move pictures and not their masks', () => {
    expect(() => streamOf({ augmentation: 'deit' })).toThrow(
      /can't be augmented by randAugment, erasing, mixup, cutmix, labelSmoothing/,
    )
  })
})
