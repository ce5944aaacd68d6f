import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { defined } from '../../src/base/assert.js'
import type { PictureMask } from '../../src/image/picture-mask.js'

/** The photo that Segment cuts out of, with what lies over it. */
export function stageOf(page: Page): Locator {
  return page.locator('#panel-segment .stage')
}

/**
 * A place of the photo, by shares of its sides, and where it is on the page: at a whole pixel there, because a mouse has no parts of
 * them.
 */
export async function placeAt(
  page: Page,
  size: { readonly height: number; readonly width: number },
  [across, down]: readonly [number, number],
) {
  await stageOf(page).scrollIntoViewIfNeeded()
  const { x, y, width, height } = defined((await stageOf(page).boundingBox()) ?? undefined, 'the photo')
  const mouse = { x: Math.round(x + across * width), y: Math.round(y + down * height) }
  const point = { x: ((mouse.x - x) * size.width) / width, y: ((mouse.y - y) * size.height) / height }
  return { mouse, point }
}

/** What lies over the photo: 1 where a mask means something. As text on the way, because a list of as many numbers takes long. */
async function overlayOf(page: Page): Promise<Buffer> {
  const text = await stageOf(page)
    .locator('canvas')
    .evaluate((canvas: HTMLCanvasElement) => {
      const { width, height } = canvas
      const pixels = canvas.getContext('2d')?.getImageData(0, 0, width, height).data ?? []
      const marks = Uint8Array.from({ length: width * height }, (_, at) => (pixels[4 * at + 3] ? 1 : 0))
      return new TextDecoder().decode(marks)
    })
  return Buffer.from(text, 'latin1')
}

/** Waits until the photo shows a mask that Node made; engines round alike, but for a pixel at its edge. */
export async function expectOverlay(page: Page, { values }: PictureMask): Promise<void> {
  const others = async () => {
    const overlay = await overlayOf(page)
    return values.reduce((count, value, at) => count + Number(overlay[at] !== value), 0)
  }
  await expect.poll(others, { timeout: 20_000, interval: 100 }).toBeLessThan(values.length / 2000)
}
