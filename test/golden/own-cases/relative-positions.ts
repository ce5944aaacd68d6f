import { join } from 'node:path'
import { defined } from '../../../src/base/assert.js'
import { input } from '../../../src/graph/ops/index.js'
import { scope } from '../../../src/graph/scope.js'
import type { Tensor } from '../../../src/graph/tensor.js'
import { positionTables, vectorsOfDistances } from '../../../src/nn/relative-position.js'
import { windowedAttention } from '../../../src/nn/windowed-attention.js'
import { readGolden } from '../../support/golden.js'
import { Findings, type OwnCase } from './findings.js'
import { positionBias } from './position-bias.js'
import { runTensors } from './run-tensors.js'

const tolerance = 1e-4

/** How many queries and keys a name speaks of: `same_8_L15`, `interp_16_L27`, `q4k8_L15`. */
function sidesOf(name: string): { queries: number; keys: number } | undefined {
  const [, both, queries = both, keys = both] =
    /^(?:(?:same|interp)_(\d+)|q(\d+)k(\d+))_L\d+$/.exec(name) ?? []
  return queries === undefined ? undefined : { queries: Number(queries), keys: Number(keys) }
}

/** q·kᵀ⁄√headWidth of each picture and head. @param q, k `[batch, tokens, heads·headWidth]` */
function scores(
  q: Float32Array,
  k: Float32Array,
  [batch, tokens, heads, width]: readonly [number, number, number, number],
) {
  const all: number[] = []
  const at = (picture: number, token: number, head: number) =>
    ((picture * tokens + token) * heads + head) * width
  for (let picture = 0; picture < batch; picture++)
    for (let head = 0; head < heads; head++)
      for (let query = 0; query < tokens; query++)
        for (let key = 0; key < tokens; key++) {
          const [from, to] = [at(picture, query, head), at(picture, key, head)]
          let sum = 0
          for (let i = 0; i < width; i++) sum += defined(q[from + i], 'q') * defined(k[to + i], 'k')
          all.push(sum / Math.sqrt(width))
        }
  return all
}

/** Vectors of distances between sides of every kind, and attention on a grid that its tables weren't learned for. */
export const relativePositions: OwnCase = async (folder) => {
  const golden = await readGolden(join(folder, 'sam_relpos.safetensors'))
  const found = new Findings()
  for (const name of golden.names('in/').map((name) => name.slice('in/'.length))) {
    const sides = sidesOf(name)
    if (!sides) continue
    const vectors = vectorsOfDistances(input('table', golden.shape(`in/${name}`)), sides)
    const feeds = { table: { shape: golden.shape(`in/${name}`), values: golden.floats(`in/${name}`) } }
    const ours = await runTensors({ vectors }, { weights: new Map(), feeds })
    found.close(name, defined(ours.vectors, 'vectors'), golden.floats(`out/${name}`), tolerance)
  }
  const [batch = 0, rows = 0, columns = 0, width = 0] = golden.shape('in/attn_x')
  const heads = 2
  const shape = [batch, rows * columns, width]
  const learnedFor = { rows: 7, columns: 7 }
  const { q, k, output } = windowedAttention('attn', input('x', shape), {
    heads,
    neighbourhood: { grid: { rows, columns }, plan: undefined, learnedFor },
  })
  const bias: Tensor = scope('attn', () =>
    positionBias(q, { heads, rows, columns, tables: positionTables(width / heads, learnedFor) }),
  )
  const ours = await runTensors(
    { q, k, bias, output: output() },
    { weights: golden.weights('w/'), feeds: { x: { shape, values: golden.floats('in/attn_x') } } },
  )
  const [queries, keys, biases] = [ours.q, ours.k, ours.bias].map((values) => defined(values, 'an output'))
  const products = scores(defined(queries, 'q'), defined(keys, 'k'), [
    batch,
    rows * columns,
    heads,
    width / heads,
  ])
  found.close(
    'attn_logits',
    products.map((score, at) => score + defined(biases?.[at], 'a bias')),
    golden.floats('out/attn_logits'),
    tolerance,
  )
  found.close('attn_y', defined(ours.output, 'the output'), golden.floats('out/attn_y'), tolerance)
  return found
}
