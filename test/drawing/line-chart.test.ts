import sharp from 'sharp'
import { expect, test } from 'vitest'
import { drawLineChart } from '../../src/drawing/line-chart.js'

const chart = {
  title: 'a < b & c',
  xLabel: 'x',
  yLabel: 'y',
  curves: [
    { name: 'rising', points: [0, 1, 2].map((x) => ({ x, y: x * x })) },
    { name: 'promised', family: 'rising', points: [0, 2].map((x) => ({ x, y: 2 * x })), dashed: true },
    { name: 'flat', points: [0, 2].map((x) => ({ x, y: 4 })) },
  ],
}

test('curves of one family share a colour, text is escaped, names at the end stand apart', () => {
  const svg = drawLineChart(chart)
  expect(svg).toContain('a &lt; b &amp; c')
  const colours = [...svg.matchAll(/<path [^>]*stroke="(#\w+)"/g)].map(([, colour]) => colour)
  expect(colours[0]).toBe(colours[1])
  expect(colours[2]).not.toBe(colours[0])
  const places = ['rising', 'promised', 'flat'].map((name) =>
    Number(new RegExp(` y="([\\d.]+)"[^>]*>${name}</text>`).exec(svg)?.[1]),
  )
  const sorted = [...places].sort((a, b) => a - b)
  for (let i = 1; i < sorted.length; i++) {
    expect((sorted[i] ?? 0) - (sorted[i - 1] ?? 0)).toBeGreaterThanOrEqual(14)
  }
})

test('libvips draws it: the rising curve ends above where it began', async () => {
  const { data, info } = await sharp(Buffer.from(drawLineChart(chart)))
    .raw()
    .toBuffer({ resolveWithObject: true })
  expect([info.width, info.height]).toEqual([720, 420])
  const isBlue = (x: number, y: number) => {
    const at = (y * info.width + x) * info.channels
    return (data[at] ?? 0) < 60 && (data[at + 2] ?? 0) > 140
  }
  const highestBlue = (from: number, to: number) => {
    for (let y = 0; y < info.height; y++) for (let x = from; x < to; x++) if (isBlue(x, y)) return y
    return info.height
  }
  expect(highestBlue(60, 120)).toBeGreaterThan(highestBlue(500, 552) + 100)
})

test('points beyond the colours have another shape, long names widen the picture, labels stand apart', () => {
  const curves = Array.from({ length: 9 }, (_, i) => ({
    name: i === 8 ? 'n'.repeat(60) : `curve ${i}`,
    points: [{ x: i % 2, y: 1, label: `label ${i}` }],
  }))
  const svg = drawLineChart({ title: '', xLabel: '', yLabel: '', curves })
  const looks = [...svg.matchAll(/class="point"[^>]* d="([^"]*)" fill="(#\w+)"/g)].map(
    ([, shape, colour]) => `${shape} ${colour}`,
  )
  expect(new Set(looks).size).toBe(9)
  expect(Number(/width="(\d+)"/.exec(svg)?.[1])).toBeGreaterThan(900)
  const places = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*>label \d</g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ])
  expect(places).toHaveLength(9)
  const sorted = places.sort(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d)
  expect(new Set(sorted.map((place) => place.join())).size).toBe(9)
})
