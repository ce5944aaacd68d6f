import { expect, test } from 'vitest'
import { shareOf } from '../../src/base/share.js'
import { agreementOf, type RowAnswers } from '../../src/comparison/answers.js'
import { parseRow } from '../../src/comparison/asked-rows.js'
import type { Comparison } from '../../src/comparison/compare.js'
import { comparedRows } from '../../src/comparison/compared-rows.js'
import { planRows } from '../../src/comparison/plan-rows.js'
import { comparisonPlots } from '../../src/comparison/plots.js'
import { comparisonCsv, comparisonMarkdown } from '../../src/comparison/tables.js'

const machine = {
  date: '2026-11-30T12:00:00.000Z',
  cpu: 'a processor',
  cores: 2,
  memoryBytes: 8e9,
  system: 'Linux 6',
  node: 'v22',
  blvit: '0.1.0',
  loadBefore: 0,
}

function answered(predicted: readonly number[], right: number): RowAnswers {
  const evaluated = predicted.filter((one) => one >= 0).length
  return {
    pictures: predicted.length,
    failed: predicted.length - evaluated,
    labelled: evaluated,
    top1: shareOf(right, evaluated),
    predicted: [...predicted],
  }
}

const times = (ms: number) => ({
  latencyMs: { p10: ms, median: ms, p90: ms },
  runs: 10,
  disturbedRuns: 1,
  picturesPerSecond: 1500 / ms,
  many: { lanes: 2, threads: 1, batch: 4, pictures: 64 },
  peakMemoryBytes: 100e6,
  measuredTogether: 4,
})

async function comparison(): Promise<Comparison> {
  const rows = await planRows(
    await Promise.all(
      ['vit-micro', 'vit-micro@evit:0.5', 'vit-micro@16px', 'micro+16@0.5', 'nobody@0.5'].map(parseRow),
    ),
  )
  const found = [
    { answers: answered([1, 2, 3, 4, -1], 4), times: times(10) },
    { answers: answered([1, 2, 3, 0, -1], 3), times: times(8) },
    { answers: answered([1, 0, 0, 0, -1], 1), times: times(9) },
    { answers: answered([1, 2, 0, 4, -1], 3), times: undefined },
    { answers: undefined, times: undefined },
  ]
  const compared = comparedRows(
    rows.map((row, index) => ({
      row,
      ...(found[index] ?? { answers: undefined, times: undefined }),
      counted: undefined,
      error: 'error' in row ? row.error : undefined,
    })),
  )
  return { version: 1, machine, data: ['photos'], pictures: 5, precision: 'fp32', rows: compared }
}

test('answers that two rows share are counted among those that both gave', () => {
  const agreement = agreementOf(answered([1, 2, -1, 4], 0), answered([1, 3, 3, -1], 0))
  expect(agreement).toMatchObject({ count: 1, of: 2 })
})

test('Markdown says what was found, what it means, and what failed', async () => {
  const text = comparisonMarkdown(await comparison(), { title: 'Rows' })
  expect(text).toMatchInlineSnapshot(`
    "# Rows

    | model | setting | top-1 % | 95 % | same % | params M | L, G | T, G | tokens | ms | pictures/s | MB | front |
    | --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --- |
    | vit-micro | plain | 100.0 | 51.0–100.0 | – | 0.21 | 0.013 | 0.015 | 65 | 10.00 | 150.0 | 100 | time many work |
    | vit-micro | evit:0.5 | 75.0 | 30.1–95.4 | 75.0 | 0.21 | 0.007 | 0.009 | 65 → 11 | 8.00 | 187.5 | 100 | time many work |
    | vit-micro | image size 16 | 25.0 | 4.6–69.9 | 25.0 | 0.21 | 0.003 | 0.004 | 17 | 9.00 | 166.7 | 100 | work |
    | micro+16 | keep ratio 0.5 | 75.0 | 30.1–95.4 | 75.0 | 0.23 | 0.011 | 0.012 | 65 → 33 | – | – | – |  |
    | nobody | 0.5 | – | – | – | – | – | – | – | – | – | – |  |

    - top-1 on 5 pictures of photos, with Wilson's 95 % interval; same: first classes that are those of the whole model.
    - Multiply-adds of one picture: L, linear maps and convolutions; T, L and the attention products. Tokens in the MLPs of the first and the last block; where pictures decide, ≈ stands before means over the first of them, ≤ before the most that it can be.
    - ms: median of one picture on one engine; pictures/s: 2 engines of 1 thread beside each other; MB: peak memory of the process of one engine. a processor, 2 cores, 2026-11-30; 3 runs waited for a busy processor and were left out.
    - front: no other row is as accurate for less time of one picture (time), of many (many), or multiply-adds, T (work).

    Failed:

    - nobody, 0.5: There is no model "nobody". Give a folder, a hub id (owner/name) or a shipped model: blvit-tiny, vit-tiny.
    "
  `)
})

test('CSV has a line for each row, in full precision', async () => {
  const [heading = '', ...lines] = comparisonCsv(await comparison())
    .trimEnd()
    .split('\n')
  const rows = lines.map((line) =>
    Object.fromEntries(line.split(',').map((cell, i) => [heading.split(',')[i], cell])),
  )
  expect(rows).toHaveLength(5)
  expect(rows[1]).toMatchObject({
    setting: 'evit:0.5',
    top1: '0.75',
    agreement: '0.75',
    agreement_with: 'vit-micro',
    front_latency: 'true',
    latency_median_ms: '8',
  })
  expect(rows[2]).toMatchObject({ control: 'true', front_latency: 'false' })
})

test('controls are dashed lines from the whole model; what has no time isn’t drawn over it', async () => {
  const plots = await comparisonPlots(await comparison())
  expect(Object.keys(plots)).toEqual(
    ['latency', 'time-of-many', 'multiply-adds'].flatMap((over) => [
      `accuracy-over-${over}.svg`,
      `accuracy-over-${over}.png`,
    ]),
  )
  const overTime = `${plots['accuracy-over-latency.svg']}`
  const dashed = [...overTime.matchAll(/<path d="([^"]*)"[^>]*stroke-dasharray/g)].map(([, path]) => path)
  expect(dashed).toHaveLength(1)
  expect(dashed[0]?.match(/[ML]/g)).toHaveLength(2) // from the small pictures to the whole model
  expect(overTime).toContain('vit-micro, image size (control)')
  expect(overTime).not.toContain('micro+16')
  expect(`${plots['accuracy-over-multiply-adds.svg']}`).toContain('micro+16, keep ratio')
  // the small pictures lost more than a quarter of the best: the line leads out of the drawing, and no point is below
  expect(overTime).toMatch(/<g clip-path="url\(#inside\)"><path d="[^"]*"[^>]*stroke-dasharray/)
  expect(overTime.match(/class="point"/g)).toHaveLength(3)
  // a PNG, twice as large, its letters drawn: it holds no text
  expect(
    Buffer.from(plots['accuracy-over-latency.png'] ?? '')
      .subarray(1, 4)
      .toString(),
  ).toBe('PNG')
})
