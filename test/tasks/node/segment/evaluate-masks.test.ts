import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { evaluateMasks } from '../../../../src/tasks/node/segment/evaluate/evaluate-masks.js'
import { loadSegmenter } from '../../../../src/tasks/node/segment/load-segmenter.js'
import type { Segmenter } from '../../../../src/tasks/segment/segmenter.js'
import { runInProcess } from '../../../support/run-in-process.js'
import { temporaryFolder } from '../../../support/temporary-folder.js'

const examples = fileURLToPath(new URL('../../../../examples/', import.meta.url))

describe('masks beside the truth', () => {
  const folder = temporaryFolder()
  const path = (name: string) => join(folder, name)
  let sam: Segmenter

  const square = (x: number, y: number, side: number) => [
    [x, y, x + side, y, x + side, y + side, x, y + side],
  ]
  const annotation = (
    id: number,
    image: number,
    [x, y, side]: readonly [number, number, number],
    iscrowd = 0,
  ) => ({
    ...{ id, image_id: image, category_id: 1, iscrowd, segmentation: square(x, y, side) },
    ...{ area: side ** 2, bbox: [x, y, side, side] },
  })
  const file = {
    images: [
      { id: 7, file_name: 'kite.jpg', width: 299, height: 299 },
      { id: 3, file_name: 'fly.jpg', width: 299, height: 299 },
      { id: 5, file_name: 'missing.jpg', width: 299, height: 299 },
      { id: 9, file_name: 'kite.jpg', width: 100, height: 299 },
    ],
    categories: [{ id: 1, name: 'thing' }],
    annotations: [
      annotation(1, 7, [20, 30, 25]),
      annotation(2, 7, [60, 60, 90]),
      annotation(3, 3, [10, 10, 150]),
      annotation(4, 3, [0, 0, 40], 1),
      annotation(5, 5, [10, 10, 20]),
      annotation(6, 9, [10, 10, 20]),
    ],
  }
  const data = path('instances.json')

  beforeAll(async () => {
    writeFileSync(data, JSON.stringify(file))
    expect((await runInProcess(['init', 'sam-micro', '-o', path('micro')], { cwd: folder })).code).toBe(0)
    sam = await loadSegmenter(path('micro'))
  })
  afterAll(() => sam?.dispose())

  const options = { images: examples, seed: 3 }

  test('each object that is no crowd, by each prompt; pictures that are missing or of another size are named', async () => {
    const report = await evaluateMasks(sam, data, options)
    expect(report).toMatchObject({ pictures: 4, objects: 3 })
    expect(report.failures.map(({ picture, code }) => [picture, code])).toEqual([
      ['missing.jpg', 'NOT_FOUND'],
      ['kite.jpg', 'BAD_DATA'],
    ])
    expect(
      report.results.map(({ prompt, iou, small, medium, large }) => [
        prompt,
        ...[iou, small, medium, large].map(({ of }) => of),
      ]),
    ).toEqual(['point', 'points', 'box'].map((prompt) => [prompt, 3, 1, 1, 1]))
    for (const { iou, oracle } of report.results) {
      expect(oracle.mean).toBeGreaterThanOrEqual(iou.mean)
      expect(iou.low).toBeLessThanOrEqual(iou.mean)
      expect(iou.high).toBeGreaterThanOrEqual(iou.mean)
    }
    expect(report.averagePrecision?.lvis).toBeUndefined()
    expect(report.averagePrecision?.coco.ap).toBeGreaterThanOrEqual(0)
  })

  test('a run that was stopped goes on and ends with the same report', async () => {
    const whole = await evaluateMasks(sam, data, { ...options, sampler: 'centre' })
    const controller = new AbortController()
    const resume = path('masks.state')
    const stopped = evaluateMasks(sam, data, {
      ...{ ...options, sampler: 'centre', resume, signal: controller.signal },
      onProgress: () => controller.abort(),
    })
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' })
    const resumed: number[] = []
    const again = await evaluateMasks(sam, data, {
      ...{ ...options, sampler: 'centre', resume },
      onProgress: (progress) => resumed.push(progress.resumed),
    })
    expect(again).toEqual(whole)
    expect(resumed[0]).toBe(1)
    expect(existsSync(resume)).toBe(true)
    await expect(evaluateMasks(sam, data, { ...options, seed: 4, resume })).rejects.toMatchObject({
      code: 'BAD_OPTION',
    })
  })

  test('the command prints the report, and refuses what it would not honour', async () => {
    const args = ['eval', path('micro'), '--task', 'segment', '--data', data, '--pictures', examples]
    const { code, stdout, stderr } = await runInProcess([...args, '--prompts', 'box', '--json'], {
      cwd: folder,
    })
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('2 of 4 pictures') })
    expect(JSON.parse(stdout)).toMatchObject({ objects: 3, results: [{ prompt: 'box' }] })
    const refused = await runInProcess([...args, '--teacher', 'vit-tiny'], { cwd: folder })
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--teacher') })
    const other = await runInProcess(['eval', 'vit-tiny', '--data', examples, '--single'], { cwd: folder })
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('--single') })
  })

  test('a file of something else is refused', async () => {
    writeFileSync(path('other.json'), '{"images": []}')
    await expect(evaluateMasks(sam, path('other.json'))).rejects.toMatchObject({ code: 'BAD_DATA' })
    await expect(evaluateMasks(sam, path('none.json'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
