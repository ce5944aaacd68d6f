import { describe, expect, test } from 'vitest'
import type { Pixels } from '../../../src/image/pixels.js'
import { drawPanel } from '../../../src/tasks/trace/draw-panel.js'
import {
  dropping,
  fusing,
  grid,
  merging,
  patchSize,
  plainPicture,
  routes,
  traceOf,
  untouched,
} from '../../support/traces.js'

const route = (...big: readonly number[]) => routes(big)[0] ?? expect.fail('no step')

/** The colour at a place in each patch, both in shares of its side. */
function coloursAt({ width, values }: Pixels, [down, right]: readonly [number, number]): number[][] {
  const side = width / grid.columns
  return untouched.map((patch) => {
    const y = Math.floor((Math.floor(patch / grid.columns) + down) * side)
    const x = Math.floor(((patch % grid.columns) + right) * side)
    return [...values.slice(3 * (y * width + x), 3 * (y * width + x) + 3)]
  })
}

const centre = [0.5, 0.5] as const
const trace = traceOf([])

describe('a panel of two paths', () => {
  test.each([1, 2, 5])('is bright exactly at the patches of the big one, at scale %i', (scale) => {
    const big = [0, 5, 6, 11]
    const panel = drawPanel(trace, route(...big), { scale })
    expect([panel.width, panel.height]).toEqual([32 * scale, 24 * scale])
    const seen = coloursAt(panel, centre).map(([red = 0]) => red > 150)
    expect(seen).toEqual(untouched.map((patch) => big.includes(patch)))
  })

  test('every pixel of another patch is dim, to its very edge', () => {
    const panel = drawPanel(trace, route(5), { scale: 2 })
    const bright = (x: number, y: number) => (panel.values[3 * (y * panel.width + x)] ?? 0) > 120
    for (let y = 0; y < panel.height; y++) {
      for (let x = 0; x < panel.width; x++) {
        expect(bright(x, y), `${x}, ${y}`).toBe(x >= 16 && x < 32 && y >= 16 && y < 32)
      }
    }
  })

  test('with every patch on it nothing is dimmed', () => {
    const panel = drawPanel(trace, route(...untouched), { scale: 2 })
    expect(coloursAt(panel, centre)).toEqual(untouched.map(() => [200, 200, 200]))
    expect(Math.min(...panel.values.filter((_, i) => i % 3 === 0))).toBeGreaterThan(150) // the grid's lines
  })

  test('a dark picture shows its bright patches by their outline', () => {
    const panel = drawPanel({ ...trace, picture: plainPicture(0) }, route(5), { scale: 2 })
    expect(panel.values.filter((value) => value === 255)).not.toHaveLength(0)
  })
})

/** A picture whose patches are 10, 30, 50, … grey. */
function steps(): Pixels {
  const picture = plainPicture(0)
  const values = picture.values.map((_, i) => {
    const [x, y] = [Math.floor(i / 3) % picture.width, Math.floor(i / 3 / picture.width)]
    return 10 + 20 * (Math.floor(y / patchSize) * grid.columns + Math.floor(x / patchSize))
  })
  return { ...picture, values }
}

describe('a panel of merged tokens', () => {
  const panel = drawPanel({ ...trace, picture: steps() }, merging, { scale: 4 })
  const colours = coloursAt(panel, centre)
  const mean = (10 + 30 + 90) / 3 // of the patches 0, 1 and 4

  test('patches of one token have nearly their mean colour, others their own', () => {
    for (const [patch, own] of [
      [0, 10],
      [1, 30],
      [4, 90],
    ] as const)
      expect(colours[patch]?.[0]).toBe(Math.round(mean + 0.2 * (own - mean)))
    expect(colours[5]).toEqual([110, 110, 110])
  })

  test('they share an outline of one colour, which no other group has, and none between them', () => {
    const [left, top, right] = (
      [
        [0.5, 0.02],
        [0.02, 0.5],
        [0.5, 0.98],
      ] as const
    ).map((at) => coloursAt(panel, at))
    if (!left || !top || !right) throw new Error('three edges')
    expect(left[4]).toEqual(left[0]) // both at the picture's left edge
    expect(top[1]).toEqual(left[0]) // at its upper edge
    expect(right[1]).toEqual(left[0]) // against patch 2, another group
    expect(right[0]).not.toEqual(left[0]) // against patch 1, the same group
    expect(top[4]).not.toEqual(left[0]) // against patch 0, the same group
    expect(left[2]).not.toEqual(left[0])
    expect(left[7]).toEqual(left[2]) // the other group, apart from each other in the picture
    const [red = 0, green = 0, blue = 0] = left[0] ?? []
    expect(Math.max(red, green, blue) - Math.min(red, green, blue)).toBeGreaterThan(100) // no grey
  })

  test('without anything let go bright patches have no outline', () => {
    expect(coloursAt(panel, [0.5, 0.98])[11]).toEqual([230, 230, 230])
  })
})

describe('a panel of tokens that were let go', () => {
  test('fused patches are violet, dropped ones dark with stripes, kept ones as they were', () => {
    const fused = drawPanel(trace, fusing, { scale: 4 })
    const dropped = drawPanel(trace, dropping, { scale: 4 })
    const meanOf = (panel: Pixels, patch: number) => {
      const places = Array.from(
        { length: 100 },
        (_, i) => [0.25 + (i % 10) / 20, 0.25 + Math.floor(i / 10) / 20] as const,
      )
      const seen = places.map((place) => coloursAt(panel, place)[patch] ?? [])
      return [0, 1, 2].map(
        (channel) => seen.reduce((sum, colour) => sum + (colour[channel] ?? 0), 0) / seen.length,
      )
    }
    for (const patch of untouched) {
      const [red = 0, green = 0, blue = 0] = meanOf(fused, patch)
      const [grey = 0] = meanOf(dropped, patch)
      if (patch % 2 === 0) expect([red, green, blue, grey]).toEqual([200, 200, 200, 200])
      else {
        expect(blue).toBeGreaterThan(green + 40)
        expect(grey).toBeLessThan(60)
      }
    }
  })

  test('two fused tokens have a line between them, one has none inside', () => {
    const none = untouched.map((patch) => (patch < 8 ? 90 : patch < 10 ? 91 : patch))
    const panel = drawPanel(
      trace,
      { afterLayer: 1, tokens: 4, patchToken: none, fused: [90, 91] },
      { scale: 4 },
    )
    const below = coloursAt(panel, [0.98, 0.5])
    expect(below[4]).not.toEqual(below[0]) // against 8, the other token; against 4, the same token
    expect(below[5]).toEqual(below[4])
    const [one = [], other = []] = [coloursAt(panel, [0.6, 0.6])[1], coloursAt(panel, [0.6, 0.6])[9]]
    expect(one).not.toEqual(other) // each has a colour of its own
  })

  test('stripes show dropped patches of a black picture', () => {
    const panel = drawPanel({ ...trace, picture: plainPicture(0) }, dropping, { scale: 4 })
    const inside = panel.values.filter((value) => value === 105)
    expect(inside.length).toBeGreaterThan(100)
  })

  test('kept patches have an outline against them', () => {
    const panel = drawPanel(trace, dropping, { scale: 4 })
    expect(coloursAt(panel, [0.5, 0.98])[0]).toEqual([255, 176, 0])
  })
})
