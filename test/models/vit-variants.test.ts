import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Engine } from '../../src/engine/engine.js'
import { outputRows } from '../../src/engine/rows.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { atImageSize, atOwnSize } from '../../src/model-store/image-size.js'
import { readDescription, withWeights } from '../../src/model-store/model-files.js'
import { openModel } from '../../src/model-store/node/open-model.js'
import type { Architecture } from '../../src/models/architecture.js'
import { readArchitecture } from '../../src/models/index.js'
import type { ModelDefinition } from '../../src/models/model-definition.js'
import type { VitConfig } from '../../src/models/vit-config.js'
import { isVit } from '../../src/models/vit-family.js'
import { embed } from '../../src/problems/embed.js'
import { chooseRuntime } from '../../src/runtime/node/choose.js'
import { openCheckpoint } from '../../src/weights/node/checkpoint.js'
import { expectClose } from '../support/expect-close.js'

// What timm and transformers compute, see make.py there.
const fixtures = fileURLToPath(new URL('../fixtures/vit-variants/', import.meta.url))
const names = readdirSync(fixtures, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
)

interface Expected {
  readonly pixels: readonly number[]
  readonly logits?: readonly number[]
  readonly features?: readonly number[]
  /** What CLIP's last norm makes of the class token. */
  readonly pooled?: readonly number[]
  readonly embedding?: readonly number[]
  /** At 8 pixels a side. */
  readonly pixels8?: readonly number[]
  readonly logits8?: readonly number[]
  /** At 6. */
  readonly pixels6?: readonly number[]
  readonly logits6?: readonly number[]
}

const expected = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as Record<string, Expected>

function everything({ programs }: ModelDefinition): Record<string, Tensor> {
  return { ...programs.classify, ...programs.embed }
}

// float32 through two blocks, with weights that make values of up to 20
const tolerance = { rtol: 1e-4, atol: 1e-4 }

describe('a ViT computes what the library computes that saved it', () => {
  test('all variants are there', () => {
    expect(names.length).toBeGreaterThan(30)
    expect(names).toEqual(Object.keys(expected).sort())
  })

  const resized = names.filter((name) => expected[name]?.logits8)
  test.each(resized)('%s at another image size, with its position embedding resampled', async (name) => {
    const { pixels8 = [], logits8 = [] } = expected[name] ?? {}
    const { architecture, weights } = await atImageSize(await openModel(join(fixtures, name)), 8)
    const { runtime } = await chooseRuntime('cpu')
    await using engine = await Engine.load({ architecture, weights, runtime }, everything)
    const inputs = { pixel_values: Float32Array.from(pixels8) }
    const { outputs } = await engine.run({ batch: 1, inputs })
    expectClose(Array.from(outputs.logits?.values ?? [], Number), logits8, tolerance)
  })

  const interpolated = names.filter((name) => expected[name]?.logits6)
  test.each(interpolated)(
    '%s at the size of its preprocessor, as transformers interpolates',
    async (name) => {
      const { pixels6 = [], logits6 = [] } = expected[name] ?? {}
      const config = JSON.parse(readFileSync(join(fixtures, name, 'config.json'), 'utf8'))
      const preprocessorConfig = { size: { shortest_edge: 6 }, crop_size: { height: 6, width: 6 } }
      const { tensors } = await openCheckpoint(join(fixtures, name))
      const description = readDescription({ config, preprocessorConfig })
      expect(description.assumptions.join()).toContain('makes pictures of 6 × 6')
      const files = await atOwnSize(await withWeights(description, tensors, { source: name }))
      expect(files.preprocessing).toMatchObject({ height: 6, width: 6 })
      const { runtime } = await chooseRuntime('cpu')
      await using engine = await Engine.load({ ...files, runtime }, everything)
      const inputs = { pixel_values: Float32Array.from(pixels6) }
      const { outputs } = await engine.run({ batch: 1, inputs })
      expectClose(Array.from(outputs.logits?.values ?? [], Number), logits6, tolerance)
    },
  )

  test.each(names)('%s', async (name) => {
    const { pixels, logits, features, pooled, embedding } = expected[name] ?? { pixels: [] }
    const { architecture, weights } = await openModel(join(fixtures, name))
    const { runtime } = await chooseRuntime('cpu')
    await using engine = await Engine.load({ architecture, weights, runtime }, everything)
    const { outputs } = await engine.run({
      batch: 1,
      inputs: { pixel_values: Float32Array.from(pixels) },
    })
    const numbers = (output: string) => Array.from(outputs[output]?.values ?? [], Number)
    if (logits) expectClose(numbers('logits'), logits, tolerance)
    else expect(outputs.logits).toBeUndefined()
    if (features) expectClose(numbers('features'), features, tolerance)
    if (pooled) expectClose(numbers('features').slice(0, pooled.length), pooled, tolerance)
    if (embedding) {
      const { prefix, facts } = architecture
      const context = { labels: [], scores: 'softmax', prefix, ...facts } as const
      embed.check?.({ pooling: 'projection' }, context)
      expectClose(
        embed.answer(outputRows(outputs, 0), context, { pooling: 'projection' }),
        embedding,
        tolerance,
      )
    }
    // our own config.json says the same
    expect(readArchitecture(architecture.json).json).toEqual(architecture.json)
    expect(configOf(readArchitecture(architecture.json))).toEqual(configOf(architecture))
  })
})

function configOf(architecture: Architecture): VitConfig | undefined {
  return isVit(architecture) ? architecture.config : undefined
}
