import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defined } from '../../src/base/assert.js'
import type { PictureMask } from '../../src/image/picture-mask.js'
import type { Prompt } from '../../src/segmentation/prompts.js'
import { decodeRle } from '../../src/segmentation/rle.js'
import { loadSegmenter } from '../../src/tasks/node/segment/load-segmenter.js'
import type { EncodedPicture, PredictOptions } from '../../src/tasks/segment/encoded-picture.js'
import type { Segmenter } from '../../src/tasks/segment/segmenter.js'
import { runInProcess } from '../support/run-in-process.js'
import { expectOverlay, placeAt as placeOn, stageOf } from './photo-stage.js'

interface SegmentSteps {
  readonly page: () => Page
  /** For the model. */
  readonly folder: string
  readonly photo: string
  /** A model that makes no masks. */
  readonly other: string
}

/** Registers the steps through the tab that cuts out, in a page that stays open after them. */
export function segmentSteps({ page, folder, photo, other }: SegmentSteps): void {
  let sam: Segmenter
  let encoded: EncodedPicture
  beforeAll(async () => {
    expect((await runInProcess(['init', 'sam-micro', '-o', 'my-sam'], { cwd: folder })).code).toBe(0)
    sam = await loadSegmenter(`${folder}/my-sam`)
    encoded = await sam.encode(photo)
  })
  afterAll(() => sam?.dispose())

  const panel = () => page().locator('#panel-segment')
  const give = (path: string) => panel().locator('input[webkitdirectory]').setInputFiles(path)

  const placeAt = (across: number, down: number) => placeOn(page(), encoded.size, [across, down])

  /** Waits until the photo shows the mask of a prompt as Node makes it. */
  async function expectMask(prompt: Prompt, options: PredictOptions, place = 0): Promise<PictureMask> {
    const { mask, area } = defined((await encoded.predict(prompt, options))[place], 'a mask')
    expect(area).toBeGreaterThan(0)
    expect(area).toBeLessThan(mask.values.length)
    await expectOverlay(page(), mask)
    return mask
  }

  test('Segment says that it needs a model, and why one that makes no masks won’t do', async () => {
    await page().getByRole('tab', { name: 'Segment' }).click()
    expect(await panel().locator('.model').textContent()).toContain('No Segment Anything model comes with')
    await give(other)
    await panel().getByRole('alert').waitFor()
    expect(await panel().getByRole('alert').textContent()).toContain('cuts nothing out')
  })

  test('with one, what is under the pointer is shown as Node cuts it out', async () => {
    await give(`${folder}/my-sam`)
    await panel().getByText('Cuts out: my-sam').waitFor()
    await panel().getByText('Encoded once').waitFor()
    const { mouse, point } = await placeAt(0.3, 0.3)
    await page().mouse.move(mouse.x, mouse.y)
    await expectMask({ points: [point] }, {})
  })

  test('clicks, others of the masks that they may mean, and what is not part of it', async () => {
    const inside = await placeAt(0.3, 0.3)
    await page().mouse.click(inside.mouse.x, inside.mouse.y)
    await panel().getByLabel('mask 2').check()
    await expectMask({ points: [inside.point] }, {}, 1)
    const outside = await placeAt(0.1, 0.8)
    await page().keyboard.down('Shift')
    await page().mouse.click(outside.mouse.x, outside.mouse.y)
    await page().keyboard.up('Shift')
    await expectMask({ points: [inside.point, { ...outside.point, label: 0 }] }, { multimask: false })
  })

  async function savedCutOut() {
    const downloading = page().waitForEvent('download')
    await panel().getByRole('button', { name: 'Save the cut-out' }).click()
    const file = await (await downloading).path()
    return sharp(file).raw().toBuffer({ resolveWithObject: true })
  }

  test('what a box means is a PNG of the photo’s size, transparent where the mask means nothing', async () => {
    await panel().getByRole('button', { name: 'Start anew' }).click()
    await panel().getByLabel('Box around it').check()
    const [from, to] = [await placeAt(0.15, 0.1), await placeAt(0.6, 0.5)]
    await page().mouse.move(from.mouse.x, from.mouse.y)
    await page().mouse.down()
    await page().mouse.move(to.mouse.x, to.mouse.y, { steps: 3 })
    await page().mouse.up()
    const box = [from.point.x, from.point.y, to.point.x, to.point.y] as const
    const mask = await expectMask({ box }, { multimask: false })
    const { data, info } = await savedCutOut()
    expect(info).toMatchObject({ width: mask.width, height: mask.height, channels: 4 })
    const original = await sharp(await readFile(photo))
      .removeAlpha()
      .raw()
      .toBuffer()
    let [wrong, distant] = [0, 0]
    mask.values.forEach((value, at) => {
      if (data[4 * at + 3] !== 255 * value) wrong++
      else if (value && Math.abs((data[4 * at] ?? 0) - (original[3 * at] ?? 0)) > 2) distant++
    })
    expect({ wrong: wrong < mask.values.length / 2000, distant }).toEqual({ wrong: true, distant: 0 })
  })

  test('by the keyboard too: the cross, a click, taken back', async () => {
    await panel().getByRole('button', { name: 'Start anew' }).click()
    await panel().getByLabel('On the object').check()
    await stageOf(page()).focus()
    for (const key of ['ArrowRight', 'ArrowUp', 'Enter']) await page().keyboard.press(key)
    const { width, height } = encoded.size
    const step = 0.02 * Math.max(width, height)
    await expectMask({ points: [{ x: width / 2 + step, y: height / 2 - step }] }, {})
    await page().keyboard.press('Backspace')
    await expect.poll(() => panel().getByRole('button', { name: 'Take back' }).isDisabled()).toBe(true)
  })

  test('everything that Node finds is found, and one of it is cut out', async () => {
    const options = { pointsPerSide: 4, minIou: -10, minStability: 0 }
    const expected = await encoded.everything(options)
    expect(expected.length).toBeGreaterThan(0)
    await panel().getByText('How it looks').click()
    await panel().getByLabel('Clicks a side').fill(String(options.pointsPerSide))
    await panel().getByLabel('Least predicted overlap').fill(String(options.minIou))
    await panel().getByLabel('Least stability').fill(String(options.minStability))
    await page().keyboard.press('Tab')
    await panel().getByRole('button', { name: 'Find everything' }).click()
    await panel().getByText(`Found ${expected.length} masks`).waitFor()
    const smallest = defined(expected.toSorted((a, b) => a.area - b.area)[0], 'a mask')
    const values = decodeRle(smallest.mask).values
    const at = values.indexOf(1)
    const { mouse } = await placeAt(
      ((at % encoded.size.width) + 0.5) / encoded.size.width,
      (Math.floor(at / encoded.size.width) + 0.5) / encoded.size.height,
    )
    await page().mouse.click(mouse.x, mouse.y)
    await panel().getByRole('button', { name: 'Save the cut-out' }).and(page().locator(':enabled')).waitFor()
    const { data } = await savedCutOut()
    expect(data.filter((value, at) => at % 4 === 3 && value === 255).length).toBeGreaterThan(0)
  })
}
