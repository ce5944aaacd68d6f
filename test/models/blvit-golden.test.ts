import { describe, expect, test } from 'vitest'
import { graphOf } from '../../src/graph/graph.js'
import { blvit } from '../../src/models/blvit.js'
import { routesOf } from '../../src/models/token-history.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { expectClose } from '../support/expect-close.js'
import { readGolden } from '../support/golden.js'
import { configOf, goldenBlvitCases, goldenBlvitFolder, readGoldenCase } from '../support/golden-blvit.js'
import { hasSharedData, withoutSharedData } from '../support/shared-data.js'
import { outputsOf } from '../support/tiny-models.js'

describe.skipIf(!hasSharedData)(`the independent float64 bLViT${withoutSharedData}`, () => {
  test.each(goldenBlvitCases)(
    '%s: logits, features, scores and routes, rows together and alone',
    async (name) => {
      const golden = readGoldenCase(name)
      const tensors = await readGolden(`${goldenBlvitFolder}/${name}.safetensors`)
      const config = configOf(golden)
      const model = blvit(config)
      const outputs = {
        ...outputsOf(model),
        ...Object.fromEntries(
          routesOf(model.history).flatMap(({ tensors: { scores, order } }, i) => [
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
          routesOf(model.history).forEach((_, i) => {
            close(`scores${i}`, tensors.floats(`${prefix}/scores${i}`))
            const order = Array.from(result[`order${i}`]?.values ?? [], Number)
            const primary = Array.from({ length: to - from }, (_, row) =>
              order.slice(row * patches, row * patches + kept).sort((a, b) => a - b),
            ).flat()
            expect(primary).toEqual(rows(tensors.integers(`${prefix}/primary${i}`)))
          })
        }
      }
    },
  )
})
