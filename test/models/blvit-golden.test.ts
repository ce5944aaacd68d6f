import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { graphOf } from '../../src/graph/graph.js'
import { blvit } from '../../src/models/blvit.js'
import type { BlvitConfig } from '../../src/models/blvit-config.js'
import { nativeRuntime } from '../../src/runtime/native.js'
import { expectClose } from '../support/expect-close.js'
import { readGolden } from '../support/golden.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'

const folder = shared('golden/blvit')
const cases = hasSharedData
  ? readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.replace('.json', ''))
  : []

interface GoldenCase {
  configuration: {
    image: number
    patch: number
    in_chans: number
    dim: number
    depth: number
    heads: number
    mlp_ratio: number
    classes: number
    little_dim: number
    little_heads: number
    little_mlp_ratio: number
    little_layers: number[] | null
    full_layers: number
    predictor_after: number[]
    semi_cross: boolean
    little: boolean
    selection: 'predictor' | 'cls'
    fuse: 'half' | 'block'
    gamma_shape: 'scalar' | 'channel'
  }
  keep: number[]
  tolerance: number
}

function configOf({ configuration: c }: GoldenCase): BlvitConfig {
  const everyLayer = Array.from({ length: c.depth - c.full_layers }, (_, i) => c.full_layers + 1 + i)
  return {
    family: 'blvit',
    image: { height: c.image, width: c.image },
    patchSize: c.patch,
    channels: c.in_chans,
    width: c.dim,
    depth: c.depth,
    heads: c.heads,
    mlpRatio: c.mlp_ratio,
    classes: c.classes,
    layerNormEpsilon: 1e-6,
    distilled: false,
    fullLayers: c.full_layers,
    predictorAfter: c.predictor_after,
    keepRatio: 0.25,
    selection: c.selection,
    semiCross: c.semi_cross,
    fuse: c.fuse,
    gamma: c.gamma_shape,
    little: c.little
      ? {
          width: c.little_dim,
          heads: c.little_heads,
          mlpRatio: c.little_mlp_ratio,
          // the golden files count layers from 0
          layers: c.little_layers?.map((layer) => layer + 1) ?? everyLayer,
          initialisation: 'normal',
        }
      : null,
  }
}

describe.skipIf(!hasSharedData)(`the independent float64 bLViT${withoutSharedData}`, () => {
  test.each(cases)('%s: logits, features, scores and routes, rows together and alone', async (name) => {
    const golden: GoldenCase = JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8'))
    const tensors = await readGolden(`${folder}/${name}.safetensors`)
    const config = configOf(golden)
    const model = blvit(config)
    const outputs = {
      ...model.outputs,
      ...Object.fromEntries(
        model.selections.flatMap(({ scores, order }, i) => [
          [`scores${i}`, scores],
          [`order${i}`, order],
        ]),
      ),
    }
    const graph = graphOf(name, outputs, { sizes: model.sizes })
    const runtime = await nativeRuntime()
    await using session = await runtime.load(graph, tensors.weights('w/'))
    const x = tensors.floats('in/x')
    const patches = (config.image.height / config.patchSize) ** 2
    const pixelsEach = 3 * config.image.height * config.image.width
    const batch = x.length / pixelsEach
    for (const keep of golden.keep) {
      const kept = Math.floor(keep * patches)
      const prefix = `out/keep${Number.isInteger(keep) ? keep.toFixed(1) : keep}`
      const spans = [[0, batch], ...Array.from({ length: batch }, (_, row) => [row, row + 1])]
      for (const [from = 0, to = 0] of spans) {
        const result = await session.run({
          pixel_values: {
            dtype: 'float32',
            shape: [to - from, 3, config.image.height, config.image.width],
            values: x.slice(from * pixelsEach, to * pixelsEach),
          },
          kept: { dtype: 'int64', shape: [1], values: BigInt64Array.of(BigInt(kept)) },
        })
        const rows = <T extends ArrayLike<number> & { slice(a: number, b: number): T }>(all: T): T =>
          all.slice((all.length / batch) * from, (all.length / batch) * to)
        const close = (output: string, expected: Float32Array) =>
          expectClose(Array.from(result[output]?.values ?? [], Number), rows(expected), {
            atol: golden.tolerance,
          })
        close('logits', tensors.floats(`${prefix}/logits`))
        close('features', tensors.floats(`${prefix}/features`))
        model.selections.forEach((_, i) => {
          close(`scores${i}`, tensors.floats(`${prefix}/scores${i}`))
          const order = Array.from(result[`order${i}`]?.values ?? [], Number)
          const primary = Array.from({ length: to - from }, (_, row) =>
            order.slice(row * patches, row * patches + kept).sort((a, b) => a - b),
          ).flat()
          expect(primary).toEqual(rows(tensors.integers(`${prefix}/primary${i}`)))
        })
      }
    }
  })
})
