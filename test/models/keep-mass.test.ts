import { describe, expect, test } from 'vitest'
import { Engine } from '../../src/engine/engine.js'
import { graphOf } from '../../src/graph/graph.js'
import type { Target } from '../../src/graph/lowering.js'
import { toOnnx } from '../../src/graph/onnx/write.js'
import type { ModelFiles } from '../../src/model-store/model-files.js'
import { routesOf } from '../../src/models/token-history.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import type { NamedTensors } from '../../src/runtime/runtime.js'
import { traceProgram } from '../../src/tasks/trace/trace.js'
import { readFloats } from '../../src/weights/read-floats.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import { expectClose } from '../support/expect-close.js'
import { feedsOf, outputsOf, randomModel, randomPixels, shrunk } from '../support/tiny-models.js'

const [rows, columns] = [4, 5]
const patches = rows * columns
const count = 3

/** Predictors and attention that don't find all patches alike, so that pictures choose different numbers. */
async function model(changes: Record<string, unknown> = {}): Promise<ModelFiles> {
  const files = randomModel(shrunk('micro+16', { rows, columns, ...changes }), { seed: 3 })
  const weights = new Map(files.weights)
  for (const [name, tensor] of files.weights) {
    if (!/^predictors\..*weight|^blocks\.\d+\.attn\.qkv\.weight/.test(name)) continue
    weights.set(
      name,
      storedFrom(
        (await readFloats(tensor)).map((value) => 6 * value),
        tensor.shape,
      ),
    )
  }
  return { ...files, weights }
}

const little = { embed_dim: 4, num_heads: 1, mlp_ratio: 4 }

const switches: Readonly<Record<string, Record<string, unknown>>> = {
  'the paper’s settings': {},
  'predictors that are MLPs': { predictor: 'mlp' },
  'γ a channel': { gamma: 'channel' },
  'γ fixed at 0': { gamma: 'zero' },
  'one fuse a block': { fuse: 'block' },
  'no E-blocks': { little: null },
  'E-blocks without attention': { little: { ...little, attention: false } },
  'keys of primary tokens alone': { semi_cross: false },
  'ranks by CLS attention': { selection: 'cls' },
  'ranks by CLS attention, keys of primary tokens alone': { selection: 'cls', semi_cross: false },
  'two selections before the first routed layer': { full_layers: 2, predictor_after: [1, 2], little },
}

async function engineOf({ architecture, weights }: ModelFiles) {
  const runtime = await nativeRuntime()
  return Engine.load({ architecture, weights, runtime }, (built) => ({
    ...outputsOf(built),
    ...traceProgram.outputs(built),
  }))
}

function row(outputs: NamedTensors, name: string, picture: number): number[] {
  const { shape, values } = outputs[name] ?? { shape: [0], values: new Float32Array() }
  const size = values.length / (shape[0] ?? 1)
  return Array.from(values.slice(picture * size, (picture + 1) * size), Number)
}

describe.each(Object.entries(switches))('keep mass, with %s', (_, changes) => {
  test('chooses of each picture the fewest patches that hold it, and no picture depends on its batch', async () => {
    const files = await model(changes)
    const { values } = randomPixels(files.architecture, { count })
    const size = values.length / count
    await using engine = await engineOf(files)
    const mass = 0.6
    const { outputs } = await engine.run(feedsOf({ count, values }), { keepMass: mass })
    const routes = routesOf(files.architecture.build({ keepMass: mass }).history)
    const counts = new Set<number>()
    for (let picture = 0; picture < count; picture++) {
      routes.forEach((__, index) => {
        const scores = row(outputs, `event${index}.scores`, picture)
        const stays = row(outputs, `event${index}.stays`, picture)
        const order = row(outputs, `event${index}.order`, picture)
        const total = scores.reduce((a, b) => a + b, 0)
        const kept = stays.filter((stay) => stay === 1).length
        counts.add(kept)
        expect(stays).toEqual(Array.from({ length: patches }, (___, place) => Number(place < kept)))
        const held = (some: number) =>
          order.slice(0, some).reduce((sum, patch) => sum + (scores[patch] ?? Number.NaN), 0) / total
        // float32 sums of twenty scores
        expect(held(kept)).toBeGreaterThan(mass - 1e-5)
        expect(held(kept - 1)).toBeLessThan(mass + 1e-5)
      })
      const own = values.slice(picture * size, (picture + 1) * size)
      const alone = await engine.run(feedsOf({ count: 1, values: own }), { keepMass: mass })
      for (const name of ['logits', 'features'])
        expectClose(row(alone.outputs, name, 0), row(outputs, name, picture), { atol: 1e-5, rtol: 1e-5 })
    }
    expect(counts.size).toBeGreaterThan(1)
  })
})

test('is the keep ratio of as many patches, where one selection decides', async () => {
  const files = await model({ predictor_after: [1] })
  const { values } = randomPixels(files.architecture)
  await using engine = await engineOf(files)
  for (const keepMass of [0.05, 0.5, 0.999]) {
    const { outputs } = await engine.run(feedsOf({ count: 1, values }), { keepMass })
    const kept = row(outputs, 'event0.stays', 0).reduce((a, b) => a + b, 0)
    const same = await engine.run(feedsOf({ count: 1, values }), {
      keepRatio: (kept + 0.5) / (patches + 0.5),
    })
    expectClose(row(outputs, 'logits', 0), row(same.outputs, 'logits', 0), { atol: 1e-6, rtol: 1e-5 })
  }
})

test('is written for any processor; WebGPU, where sizes are known beforehand, refuses it', () => {
  const built = shrunk('micro+16', { predictor: 'mlp' }).build({ keepMass: 0.7 })
  const graph = graphOf('blvit', outputsOf(built))
  const written = (target: Target) => toOnnx(graph, { target, storageOf: () => 'fed' })
  expect(written('standard')).toBeInstanceOf(Uint8Array)
  expect(() => written('webgpu')).toThrow(
    expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining('selections.0.kept') }),
  )
})
