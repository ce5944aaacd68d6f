import { describe, expect, test } from 'vitest'
import { findConfiguration } from '../../../src/model-store/node/find-configuration.js'
import { type Analysis, analyze } from '../../../src/tasks/analyze/analyze.js'

// The rows of the specification's cost table (blvit.md, section 4), in G multiply-adds and M parameters.

/** Our own figures carry four digits. */
const ours = 1e-3
/** The paper rounds to two or three digits and doesn't say how it counts. */
const papers = 1.5e-2

interface Row {
  readonly name: string
  readonly configuration: string
  readonly set?: Readonly<Record<string, unknown>>
  readonly keepRatio?: number
  readonly linear: number
  readonly full: number
  readonly parameters?: number
  readonly paper?: number
}

/** Table 3 prunes a ViT-B by its CLS attention; queries, keys and values of the kept tokens only. */
const pruned = { little: null, selection: 'cls', semi_cross: false }
const fromLayer5 = { ...pruned, full_layers: 4, predictor_after: [4, 8] }
const fromLayer2 = { full_layers: 1, predictor_after: [1, 4, 8] }
const little = { embed_dim: 192, num_heads: 3 }

const rows: readonly Row[] = [
  { name: 'ViT-T', configuration: 'vit-tiny', linear: 1.075, full: 1.254, parameters: 5.72, paper: 1.08 },
  { name: 'ViT-S', configuration: 'vit-small', linear: 4.241, full: 4.599, parameters: 22.05, paper: 4.24 },
  { name: 'ViT-B', configuration: 'vit-base', linear: 16.849, full: 17.564, parameters: 86.57, paper: 16.86 },
  { name: 'B+T @ 0.25', configuration: 'b+t', linear: 9.868, full: 10.258, parameters: 99.62, paper: 9.89 },
  {
    name: 'B+T @ 0.125',
    configuration: 'b+t',
    keepRatio: 0.125,
    linear: 8.246,
    full: 8.553,
    parameters: 99.62,
  },
  {
    name: 'B+T @ 0.375',
    configuration: 'b+t',
    keepRatio: 0.375,
    linear: 11.425,
    full: 11.895,
    parameters: 99.62,
  },
  { name: 'B+T @ 0.5', configuration: 'b+t', keepRatio: 0.5, linear: 13.047, full: 13.6, parameters: 99.62 },
  { name: 'B+T @ 1', configuration: 'b+t', keepRatio: 1, linear: 19.405, full: 20.285, parameters: 99.62 },
  {
    name: 'Table 3: 50 % pruned from layer 5',
    configuration: 'b+t',
    set: fromLayer5,
    keepRatio: 0.5,
    linear: 11.299,
    full: 11.658,
    parameters: 86.57,
    paper: 11.3,
  },
  {
    name: 'Table 3: 75 % pruned from layer 5',
    configuration: 'b+t',
    set: fromLayer5,
    linear: 8.525,
    full: 8.794,
    paper: 8.5,
  },
  {
    name: 'Table 3: 75 %, early prune',
    configuration: 'b+t',
    set: { ...pruned, ...fromLayer2 },
    linear: 5.404,
    full: 5.505,
    paper: 5.4,
  },
  {
    name: 'Table 3: + E-block',
    configuration: 'b+t',
    set: { ...fromLayer2, little, selection: 'cls', semi_cross: false },
    linear: 7.96,
    full: 8.226,
    paper: 7.9,
  },
  {
    name: 'Table 3: + predictor',
    configuration: 'b+t',
    set: { little, semi_cross: false },
    linear: 7.96,
    full: 8.226,
    paper: 8.0,
  },
  { name: 'S+96 @ 0.25', configuration: 's+96', linear: 2.496, full: 2.691, parameters: 25.33 },
  { name: 'T+48 @ 0.25', configuration: 't+48', linear: 0.639, full: 0.736, parameters: 6.55 },
  { name: 'ViT-H/14', configuration: 'vit-huge', linear: 161.884, full: 167.295, parameters: 632.05 },
  { name: 'H+B @ 0.25', configuration: 'h+b', linear: 122.276, full: 125.999, parameters: 759.63 },
]

async function analyzeRow({ configuration, set, keepRatio }: Row): Promise<Analysis> {
  return analyze(await findConfiguration(configuration, { set }), { keepRatio })
}

function expectWithin(actual: number, expected: number, tolerance: number): void {
  expect(Math.abs(actual / expected - 1), `${actual} against ${expected}`).toBeLessThan(tolerance)
}

describe('the cost table of the specification', () => {
  test.each(rows)('$name', async (row) => {
    const { multiplyAdds, parameters } = await analyzeRow(row)
    expectWithin(multiplyAdds.linear / 1e9, row.linear, ours)
    expectWithin(multiplyAdds.full / 1e9, row.full, ours)
    if (row.parameters !== undefined) expectWithin(parameters / 1e6, row.parameters, ours)
    if (row.paper !== undefined) {
      expectWithin(multiplyAdds.linear / 1e9, row.paper, papers)
      expectWithin(multiplyAdds.thop / 1e9, row.paper, papers)
    }
  })

  test.each([
    ['vit-base', '16.86'],
    ['b+t', '9.89'],
  ])("thop's count of %s gives the paper's %s G to the printed digit", async (configuration, printed) => {
    const { multiplyAdds } = analyze(await findConfiguration(configuration))
    expect((multiplyAdds.thop / 1e9).toFixed(2)).toBe(printed)
  })

  // timm's model table (fvcore, unfused attention): M elements
  test.each([
    ['vit-tiny', 5.97],
    ['vit-small', 11.95],
    ['vit-base', 23.9],
  ])("%s writes timm's %d M activations", async (configuration, printed) => {
    const { activations } = analyze(await findConfiguration(configuration))
    expectWithin(activations / 1e6, printed, ours)
  })
})
