import { expect, test } from 'vitest'
import { segmentAnythingCosts } from '../../../src/tasks/analyze/segment-anything-costs.js'

test('every cost of Table 2 comes out within 1 % by one of the ways of counting, and in its order', () => {
  const rows = segmentAnythingCosts()
  expect(rows.map(({ row }) => row)).toEqual([
    ...['SAM ViT-B', 'EViT-B', 'Evo-ViT-B', 'B+T'],
    ...['SAM ViT-H', 'EViT-H', 'Evo-ViT-H', 'H+B'],
  ])
  for (const { row, apart, encoder, withDecoder, full } of rows) {
    expect(Math.abs(apart), row).toBeLessThan(0.01)
    // the decoder for one click, as thop counts it (spec §7)
    expect((withDecoder - encoder) / 1e9).toBeCloseTo(2.983, 3)
    expect(full).toBeGreaterThan(withDecoder)
  }
  const byPaper = rows.toSorted((a, b) => a.published - b.published).map(({ row }) => row)
  expect(rows.toSorted((a, b) => a.encoder - b.encoder).map(({ row }) => row)).toEqual(byPaper)
})
