import { readFileSync } from 'node:fs'
import { describe, test } from 'vitest'
import { graphOf } from '../../src/graph/graph.js'
import { vit } from '../../src/models/vit.js'
import { usualSwitches, type VitConfig } from '../../src/models/vit-config.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { expectClose } from '../support/expect-close.js'
import { readGolden } from '../support/golden.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'
import { outputsOf } from '../support/tiny-models.js'

interface GoldenFile {
  cases: Record<
    string,
    {
      config: {
        img_size: number
        patch_size: number
        embed_dim: number
        depth: number
        num_heads: number
        mlp_ratio: number
        num_classes: number
        eps: number
        distilled?: boolean
      }
      tolerance: { abs: number }
    }
  >
}

describe.skipIf(!hasSharedData)(`timm's own ViT and DeiT${withoutSharedData}`, () => {
  test.each(['vit', 'deit_distilled'])('%s: logits, rows together and alone', async (name) => {
    const folder = shared('golden/vit')
    const golden: GoldenFile = JSON.parse(readFileSync(`${folder}/golden.json`, 'utf8'))
    const found = golden.cases[name]
    if (!found) throw new Error(`no case ${name}`)
    const { config: c, tolerance } = found
    const config: VitConfig = {
      family: 'vit',
      ...usualSwitches({ distilled: c.distilled ?? false }),
      image: { height: c.img_size, width: c.img_size },
      patchSize: c.patch_size,
      channels: 3,
      width: c.embed_dim,
      depth: c.depth,
      heads: c.num_heads,
      mlpRatio: c.mlp_ratio,
      classes: c.num_classes,
      layerNormEpsilon: c.eps,
      distilled: c.distilled ?? false,
    }
    const tensors = await readGolden(`${folder}/${name}.safetensors`)
    const runtime = await nativeRuntime()
    await using session = await runtime.load(graphOf(name, outputsOf(vit(config))), tensors.weights('w/'))
    const x = tensors.floats('in/x')
    const each = 3 * c.img_size ** 2
    const run = (from: number, to: number) =>
      session.run({
        pixel_values: {
          dtype: 'float32',
          shape: [to - from, 3, c.img_size, c.img_size],
          values: x.slice(from * each, to * each),
        },
      })
    const together = await run(0, 3)
    const logits = tensors.floats('out/logits')
    const floats = (result: Awaited<ReturnType<typeof run>>, output: string) =>
      Array.from(result[output]?.values ?? [], Number)
    expectClose(floats(together, 'logits'), logits, { atol: tolerance.abs })
    if (tensors.has('out/norm')) {
      expectClose(floats(together, 'features'), tensors.floats('out/norm'), { atol: tolerance.abs })
    }
    for (let row = 0; row < 3; row++) {
      const alone = await run(row, row + 1)
      const expected = logits.subarray(row * c.num_classes, (row + 1) * c.num_classes)
      expectClose(floats(alone, 'logits'), expected, { atol: tolerance.abs })
    }
  })
})
