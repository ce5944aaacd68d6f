import { join } from 'node:path'
import { defined } from '../../../src/base/assert.js'
import { input } from '../../../src/graph/ops/index.js'
import { scope } from '../../../src/graph/scope.js'
import { microSam } from '../../../src/models/sam-family.js'
import { primaryAttention } from '../../../src/models/sam-routing.js'
import { packedLinear } from '../../../src/nn/linear.js'
import { positionTables } from '../../../src/nn/relative-position.js'
import type { StoredTensors } from '../../../src/weights/stored-tensor.js'
import { type Golden, readGolden } from '../../support/golden.js'
import { Findings, type OwnCase } from './findings.js'
import { positionBias } from './position-bias.js'
import { runTensors } from './run-tensors.js'

const { heads, width } = microSam.encoder
const tolerance = 1e-4

/** Attention of some rows of a square of tokens that all see each other. */
interface Rows {
  readonly name: 'win' | 'glob'
  readonly tokens: string
  /** Squares, side and rows of each that are asked for. */
  readonly count: number
  readonly side: number
  readonly chosen: number
  readonly weights: StoredTensors
}

async function compareRows(
  found: Findings,
  golden: Golden,
  { name, tokens, count, side, chosen, weights }: Rows,
) {
  const grid = { rows: side, columns: side }
  const places = side * side
  const x = input('x', [count, places, width])
  const index = input('index', [count, chosen], { dtype: 'int64' })
  const rows = primaryAttention(
    x,
    { kinds: [], chosen: index },
    { heads, qkvBias: true, neighbourhood: { grid, plan: undefined, learnedFor: grid } },
  )
  const bias = scope('attn', () => {
    const { q } = packedLinear('qkv', { q: x, k: x, v: x }, { width, out: width })
    return positionBias(q, { heads, ...grid, tables: positionTables(width / heads, grid) })
  })
  const numbers = golden.integers(`in/${name}_index`)
  const ours = await runTensors(
    { rows, bias },
    {
      weights,
      feeds: {
        x: { shape: [count, places, width], values: golden.floats(tokens) },
        index: { shape: [count, chosen], values: numbers },
      },
    },
  )
  found.close(`${name}_rows`, defined(ours.rows, 'rows'), golden.floats(`out/${name}_rows`), tolerance)
  const all = defined(ours.bias, 'the bias')
  // [count, heads, chosen, places]
  const ofChosen = Array.from({ length: count * heads * chosen * places }, (_, at) => {
    const [key, row] = [at % places, Math.floor(at / places) % chosen]
    const stack = Math.floor(at / (places * chosen))
    const query = defined(numbers[Math.floor(stack / heads) * chosen + row], 'a number')
    return defined(all[(stack * places + query) * places + key], 'a bias')
  })
  found.close(`${name}_bias_rows`, ofChosen, golden.floats(`out/${name}_bias_rows`), tolerance)
}

/** Chosen queries give the rows of the official full attention, in windows and on the whole grid. */
export const chosenRows: OwnCase = async (folder) => {
  const golden = await readGolden(join(folder, 'sam_semi_cross_rows.safetensors'))
  const encoder = await readGolden(join(folder, 'sam_encoder_small.safetensors'))
  const found = new Findings()
  const weights = (block: number) => encoder.weights(`w/blocks.${block}.`)
  const windows = { name: 'win', tokens: 'in/windows', count: 18, side: 3, chosen: 2 } as const
  await compareRows(found, golden, { ...windows, weights: weights(0) })
  const grid = { name: 'glob', tokens: 'in/block1.norm1', count: 2, side: 8, chosen: 16 } as const
  await compareRows(found, golden, { ...grid, weights: weights(1) })
  return found
}
