import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { gradients } from '../../src/graph/gradients.js'
import { graphOf } from '../../src/graph/graph.js'
import { input } from '../../src/graph/ops/index.js'
import { outputOf } from '../../src/models/model-definition.js'
import { vit } from '../../src/models/vit.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import type { Runtime } from '../../src/runtime/runtime.js'
import { webRuntime } from '../../src/runtime/web.js'
import { crossEntropy } from '../../src/training/objectives/cross-entropy.js'
import { expectClose } from '../support/expect-close.js'
import { readGolden } from '../support/golden.js'
import { goldenVit as config } from '../support/golden-vit.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'

const runtimes: readonly (readonly [string, () => Promise<Runtime>])[] = [
  ['onnxruntime-node', nativeRuntime],
  ['onnxruntime-web', webRuntime],
]

describe.skipIf(!hasSharedData)(`timm's own ViT under PyTorch's autograd${withoutSharedData}`, () => {
  test.each(runtimes)(
    '%s: the loss, the norm of every gradient and some whole gradients',
    async (_, runtime) => {
      const folder = shared('golden/vit')
      const { gradients: cases } = JSON.parse(readFileSync(`${folder}/golden.json`, 'utf8'))
      const names: string[] = cases.vit.grad_norm_parameters
      const model = await readGolden(`${folder}/vit.safetensors`)
      const golden = await readGolden(`${folder}/vit__grads.safetensors`)
      const logits = outputOf(vit(config), 'classify', 'logits')
      const loss = crossEntropy(logits, input('targets', logits.shape))
      const nodes = graphOf('loss', { loss }).nodes
      const parameters = names.map((name) => nodes.find(({ leaf }) => leaf?.name === name) ?? loss)
      const found = gradients(loss, parameters).map((gradient, i) => [`gradient of ${names[i]}`, gradient])
      const graph = graphOf('backward', { loss, ...Object.fromEntries(found) })
      await using session = await (await runtime()).load(graph, model.weights('w/'))
      expect(graph.parameters).toHaveLength(names.length)
      const results = await session.run({
        pixel_values: { dtype: 'float32', shape: model.shape('in/x'), values: model.floats('in/x') },
        targets: { dtype: 'float32', shape: [3, 10], values: golden.floats('in/soft_target') },
      })
      const gradientOf = (name: string) => Array.from(results[`gradient of ${name}`]?.values ?? [], Number)
      expectClose([Number(results.loss?.values[0])], golden.floats('out/loss'), { rtol: 1e-5 })
      const norms = names.map((name) => Math.sqrt(gradientOf(name).reduce((sum, g) => sum + g * g, 0)))
      expectClose(norms, golden.floats('out/grad_norms'), { rtol: 1e-4 })
      for (const name of golden.weights('grad/').keys()) {
        const expected = golden.floats(`grad/${name}`)
        const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0)
        expectClose(gradientOf(name), expected, { atol: 1e-4 * largest })
      }
    },
  )
})
