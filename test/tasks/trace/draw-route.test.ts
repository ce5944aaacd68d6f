import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import type { Pixels } from '../../../src/image/pixels.js'
import { presets, withChanges } from '../../../src/models/index.js'
import { drawRoutePanel } from '../../../src/tasks/trace/draw-route-panel.js'
import { drawRoute, routePng } from '../../../src/tasks/trace/route-picture.js'
import {
  fullLayersLine,
  layerList,
  routeLegend,
  selectionTitle,
} from '../../../src/tasks/trace/route-words.js'
import type { Trace } from '../../../src/tasks/trace/trace.js'

const patchSize = 8
const grid = { rows: 3, columns: 4 }

function plainPicture(value: number): Pixels {
  const [height, width] = [grid.rows * patchSize, grid.columns * patchSize]
  return { height, width, values: new Uint8Array(3 * height * width).fill(value) }
}

/** A trace with the given primary patches, selection by selection; each holds for two layers. */
function traceOf(...selections: (readonly number[])[]): Trace {
  return {
    grid,
    patchSize,
    keepRatio: 0.25,
    selections: selections.map((primary, i) => ({
      afterLayer: 2 * i + 1,
      layers: [2 * i + 2, 2 * i + 3],
      primary,
      scores: Array.from({ length: 12 }, () => 1 / 12),
    })),
    top: [{ index: 0, label: 'bird', probability: 0.5 }],
    picture: plainPicture(200),
  }
}

/** The red value in the middle of each patch. */
function centres({ width, values }: Pixels, scale: number): (number | undefined)[] {
  const side = patchSize * scale
  return Array.from({ length: grid.rows * grid.columns }, (_, patch) => {
    const y = (Math.floor(patch / grid.columns) + 0.5) * side
    const x = ((patch % grid.columns) + 0.5) * side
    return values[3 * (y * width + x)]
  })
}

describe('a panel', () => {
  const names = { model: 'm', picture: 'p.jpg', legend: { bright: 'a', dim: 'b' } }

  test.each([1, 2, 5])('is bright exactly at the primary patches, at scale %i', (scale) => {
    const trace = traceOf([])
    const primary = [0, 5, 6, 11]
    const panel = drawRoutePanel(trace, { primary, scale })
    expect([panel.width, panel.height]).toEqual([32 * scale, 24 * scale])
    const seen = centres(panel, scale).map((value) => (value ?? 0) > 150)
    expect(seen).toEqual(Array.from({ length: 12 }, (_, patch) => primary.includes(patch)))
  })

  test('every pixel of a secondary patch is dim, to its very edge', () => {
    const panel = drawRoutePanel(traceOf([]), { primary: [5], scale: 2 })
    const bright = (x: number, y: number) => (panel.values[3 * (y * panel.width + x)] ?? 0) > 120
    for (let y = 0; y < panel.height; y++) {
      for (let x = 0; x < panel.width; x++) {
        expect(bright(x, y), `${x}, ${y}`).toBe(x >= 16 && x < 32 && y >= 16 && y < 32)
      }
    }
  })

  test('with every patch primary nothing is dimmed', () => {
    const primary = Array.from({ length: 12 }, (_, patch) => patch)
    const panel = drawRoutePanel(traceOf([]), { primary, scale: 2 })
    const inner = centres(panel, 2)
    expect(inner).toEqual(inner.map(() => 200))
    expect(Math.min(...panel.values.filter((_, i) => i % 3 === 0))).toBeGreaterThan(150) // the grid's lines
  })

  test('a dark picture shows its bright patches by their outline', () => {
    const dark = { ...traceOf([]), picture: plainPicture(0) }
    const panel = drawRoutePanel(dark, { primary: [5], scale: 2 })
    expect(panel.values.filter((value) => value === 255)).not.toHaveLength(0)
  })

  test('the drawing has one for each selection beside the photo, inside the page, none over another', () => {
    for (const count of [1, 2, 3, 4, 9]) {
      const trace = traceOf(...Array.from({ length: count }, (_, i) => [i]))
      const { width, height, pictures } = drawRoute(trace, names)
      expect(pictures).toHaveLength(count + 1 + 2) // two in the legend
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

  test('long names and labels widen nothing', () => {
    const trace = traceOf([1])
    const long = { ...names, model: 'm'.repeat(500), picture: 'p'.repeat(500) }
    expect(drawRoute(trace, long).width).toBe(drawRoute(trace, names).width)
    const labelled = { ...trace, top: [{ index: 0, label: 'l'.repeat(500), probability: 1 }] }
    expect(drawRoute(labelled, long).width).toBe(drawRoute(trace, names).width)
  })
})

describe('the PNG', () => {
  const model = { name: 't+48', architecture: presets['t+48'] ?? expect.fail('no t+48') }

  test('has the size of the drawing and the same bytes each time', async () => {
    const trace = traceOf([0, 1], [4, 5])
    const first = await routePng(trace, { model, picture: 'a/b.jpg' })
    const { format, width, height } = await sharp(first).metadata()
    const drawing = drawRoute(trace, {
      model: 't+48',
      picture: 'b.jpg',
      legend: routeLegend(model.architecture, trace),
    })
    expect({ format, width, height }).toEqual({ format: 'png', width: drawing.width, height: drawing.height })
    expect(Buffer.compare(first, await routePng(trace, { model, picture: 'a/b.jpg' }))).toBe(0)
  })
})

describe('the words', () => {
  const architecture = presets['t+48'] ?? expect.fail('no t+48')
  const trace = traceOf([1], [2])

  test.each([
    [[7], '7'],
    [[2, 3, 4], '2–4'],
    [[10, 12, 14, 16], '10, 12, … 16'],
    [[3, 5], '3, 5'],
    [[3, 5, 9, 10], '3, 5, 9, 10'],
    [[], ''],
  ])('layers %j are %s', (layers, text) => {
    expect(layerList(layers)).toBe(text)
  })

  test('a title names the layers that a selection decides about', () => {
    const selection = { afterLayer: 1, primary: [], scores: [] }
    expect(selectionTitle({ ...selection, layers: [2, 3, 4] })).toBe('after layer 1 → layers 2–4')
    expect(selectionTitle({ ...selection, layers: [2] })).toBe('after layer 1 → layer 2')
    expect(selectionTitle({ ...selection, layers: [] })).toBe('after layer 1 → chosen anew before use')
    expect(fullLayersLine(trace)).toBe('layer 1: all 12 patches take the big path')
  })

  test('the legend says what the model does with dim patches', () => {
    expect(routeLegend(architecture, trace).dim).toBe('little E-block only')
    expect(routeLegend(withChanges(architecture, { little: null }), trace)).toEqual({
      bright: 'big block',
      dim: 'skipped, they pass unchanged',
    })
    const every = { embed_dim: 48, num_heads: 1, layers: [3, 5] }
    expect(routeLegend(withChanges(architecture, { little: every }), trace).dim).toBe(
      'little E-block only (in layers 3, 5), else unchanged',
    )
  })
})
