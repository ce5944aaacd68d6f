import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { symbol } from '../../src/graph/dim.js'
import { graphOf } from '../../src/graph/graph.js'
import type { Target } from '../../src/graph/lowering.js'
import { toOnnx } from '../../src/graph/onnx/write.js'
import {
  addAt,
  argmax,
  argsort,
  gather,
  input,
  inverseOrder,
  reshape,
  scatterAdd,
  slice,
} from '../../src/graph/ops/index.js'

const [rows, tokens, width, kept] = [3, 17, 4, 5]

/** What a selection does: rank, invert, pick tokens and indices, and in the backward pass put tokens back. */
function graph() {
  const batch = symbol('batch')
  const scores = input('scores', [batch, tokens])
  const x = input('x', [batch, tokens, width])
  const order = argsort(scores)
  const place = inverseOrder(order)
  const chosen = slice(order, { axis: 1, end: kept })
  const outputs = {
    order,
    place,
    chosenTokens: gather(x, chosen),
    sortedScores: gather(scores, order),
    places: gather(place, chosen),
    putBack: scatterAdd(gather(x, chosen), chosen, { tokens }),
    addedTo: addAt(x, gather(x, chosen), chosen),
    scoresAddedTo: addAt(scores, gather(scores, chosen), chosen),
    nearest: argmax(x),
    most: argmax(reshape(scores, [batch, 1, tokens])),
    scoresPutBack: scatterAdd(gather(scores, chosen), chosen, { tokens }),
  }
  return graphOf('selection', outputs)
}

async function run(target: Target, scores: Float32Array, x: Float32Array): Promise<Record<string, number[]>> {
  const storageOf = () => {
    throw new Error('no parameters')
  }
  const session = await ort.InferenceSession.create(toOnnx(graph(), { target, storageOf }))
  const outputs = await session.run({
    scores: new ort.Tensor('float32', scores, [rows, tokens]),
    x: new ort.Tensor('float32', x, [rows, tokens, width]),
  })
  await session.release()
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data as Float32Array, Number)]),
  )
}

// Run on the processor, where both forms can: what WebGPU is given is the same computation.
describe('token indices as float32, for WebGPU', () => {
  const x = Float32Array.from({ length: rows * tokens * width }, (_, i) => Math.sin(i * 12.9898) * 43758)
  test.each([
    ['different scores', (i: number) => Math.sin(i * 78.233)],
    ['many equal scores', (i: number) => (i * i) % 3],
    ['nothing but equal scores', () => 0],
  ])('order, inverse, pick and put back exactly as with 64-bit integers: %s', async (_, score) => {
    const scores = Float32Array.from({ length: rows * tokens }, (_, i) => score(i))
    expect(await run('webgpu', scores, x)).toEqual(await run('standard', scores, x))
  })
})
