import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Lettering } from '../../../src/drawing/lettering.js'
import { sans } from '../../../src/drawing/node/sans.js'
import { drawnSteps, drawTrace } from '../../../src/tasks/trace/draw-trace.js'
import { tracePng } from '../../../src/tasks/trace/node/trace-png.js'
import { dropping, fusing, merging, routes, traceOf } from '../../support/traces.js'

let lettering: Lettering

beforeAll(async () => {
  lettering = await sans()
})

const names = () => ({ model: 'm', picture: 'p.jpg', lettering })

describe('the drawing', () => {
  test('has a panel for each step beside the photo, inside the page, none over another', () => {
    for (const count of [0, 1, 2, 3, 4, 9]) {
      const trace = traceOf(routes(...Array.from({ length: count }, (_, i) => [i])))
      const { width, height, pictures } = drawTrace(trace, names())
      expect(pictures).toHaveLength(count + 1 + (count > 0 ? 2 : 0)) // two in the legend
      pictures.forEach((a, i) => {
        expect(a.left + a.pixels.width).toBeLessThanOrEqual(width)
        expect(a.top + a.pixels.height).toBeLessThanOrEqual(height)
        for (const b of pictures.slice(i + 1)) {
          const beside = a.left + a.pixels.width <= b.left || b.left + b.pixels.width <= a.left
          const below = a.top + a.pixels.height <= b.top || b.top + b.pixels.height <= a.top
          expect(beside || below).toBe(true)
        }
      })
    }
  })

  test('the legend has a swatch for everything that occurs, and for nothing else', () => {
    const swatches = (...steps: Parameters<typeof traceOf>[0]) =>
      drawTrace(traceOf(steps), names()).pictures.length - 1 - steps.length
    expect(swatches(merging)).toBe(2)
    expect(swatches(fusing)).toBe(2)
    expect(swatches(merging, fusing, dropping)).toBe(4)
  })

  test('a number lies over each connected part of a group, inside its patch', async () => {
    const trace = traceOf([merging]) // 0, 1 and 4 are one part; 2 and 7 are two
    const { svg, pictures } = drawTrace(trace, names())
    const plates = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g)]
    const side = (pictures[1]?.pixels.width ?? 0) / trace.grid.columns
    const patchOf = (plate: readonly string[]) => {
      const [x = 0, y = 0, width = 0, height = 0] = plate.slice(1).map(Number)
      const [right, down] = [Math.floor(x / side), Math.floor(y / side)]
      expect([Math.floor((x + width) / side), Math.floor((y + height) / side)]).toEqual([right, down])
      return down * trace.grid.columns + right
    }
    expect(plates.map(patchOf)).toEqual([0, 2, 7])
    const { data, info } = await sharp(await tracePng(trace, { model: 'm', picture: 'p' }))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true })
    const panel = pictures[1] ?? expect.fail('no panel')
    const [x, y] = [panel.left + Math.round(side / 2), panel.top + Math.round(side / 2)]
    const white = Array.from(
      { length: 20 * 20 },
      (_, i) => 3 * ((y - 10 + Math.floor(i / 20)) * info.width + x - 10 + (i % 20)),
    )
    expect(white.filter((at) => data[at] === 255 && data[at + 1] === 255).length).toBeGreaterThan(5) // the digit
  })

  test.each([
    [0, []],
    [3, [0, 1, 2]],
    [11, Array.from({ length: 11 }, (_, i) => i)],
    [12, [1, 3, 5, 7, 9, 11]],
    [24, [2, 5, 8, 11, 14, 17, 20, 23]],
  ])('of %i steps it shows %j', (count, shown) => {
    expect(drawnSteps(count)).toEqual(shown)
  })

  test('long names, settings and labels widen nothing', () => {
    const trace = traceOf(routes([1]))
    const { width } = drawTrace(trace, names())
    const long = { ...names(), model: 'm'.repeat(500), picture: 'p'.repeat(500) }
    expect(drawTrace(trace, long).width).toBe(width)
    const top = [{ index: 0, label: 'l'.repeat(500), probability: 1 }]
    expect(drawTrace({ ...trace, top, setting: 's'.repeat(500) }, long).width).toBe(width)
  })
})

test('the PNG has the size of the drawing and the same bytes each time', async () => {
  const trace = traceOf([fusing, ...routes([0, 1])])
  const first = await tracePng(trace, { model: 't+48', picture: 'a/b.jpg' })
  const { format, width, height } = await sharp(first).metadata()
  const drawing = drawTrace(trace, { model: 't+48', picture: 'b.jpg', lettering })
  expect({ format, width, height }).toEqual({ format: 'png', width: drawing.width, height: drawing.height })
  expect(Buffer.compare(first, await tracePng(trace, { model: 't+48', picture: 'a/b.jpg' }))).toBe(0)
})
