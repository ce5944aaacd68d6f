import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BlvitError } from '../../src/base/blvit-error.js'
import { Engine } from '../../src/engine/engine.js'
import { openModel } from '../../src/model-store/node/open-model.js'
import { programOf } from '../../src/models/model-definition.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { writeSafetensors } from '../../src/weights/node/write-safetensors.js'
import { expectClose } from '../support/expect-close.js'
import { type Golden, readGolden } from '../support/golden.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const folder = temporaryFolder()

/** The sizes of the golden models. */
const sizes = { model_type: 'vit', embed_dim: 24, num_heads: 3, mlp_ratio: 2, num_classes: 10 }
const sparse = {
  ...sizes,
  ...{ image_size: 56, patch_size: 4, depth: 5 },
  // the three shares as golden.json has them
  reduction: `dynamic-vit:${0.7}/${0.7 ** 2}/${0.7 ** 3},blocks=1/2/4`,
}
const evolved = {
  ...sizes,
  ...{ image_size: 48, patch_size: 8, depth: 12, global_pool: 'avg' },
  reduction: 'evo-vit:0.5,class-head=true',
}

/** The official checkpoint of a golden case beside a config.json. */
async function checkpoint(golden: Golden, config: object): Promise<string> {
  const model = join(folder, `${Math.random()}`)
  await mkdir(model)
  await writeFile(join(model, 'config.json'), JSON.stringify(config))
  await writeSafetensors(join(model, 'model.safetensors'), golden.weights('w/'))
  return model
}

async function complaint(golden: Golden, config: object): Promise<string> {
  const model = await checkpoint(golden, config)
  return openModel(model).then(
    () => 'nothing',
    (thrown: unknown) => {
      if (thrown instanceof BlvitError) return `${thrown.code}: ${thrown.message}`
      throw thrown
    },
  )
}

describe.skipIf(!hasSharedData)(`checkpoints of official codes${withoutSharedData}`, () => {
  test.each([
    ['dynamicvit/eval_gather_07', sparse],
    ['evovit/stage_half', evolved],
    ['evovit/stage_half_prunecls', { ...evolved, reduction: 'evo-vit:0.5,class-head=true,prune-cls=true' }],
    ['evovit/layerwise_half', { ...evolved, reduction: 'evo-vit:0.5,mode=layer,class-head=true' }],
    ['evovit/stage_075_05', { ...evolved, reduction: 'evo-vit:0.75/0.5,class-head=true' }],
  ])('%s loads under its own names and answers as the official code', async (name, config) => {
    const golden = await readGolden(shared(`golden/${name}.safetensors`))
    const files = await openModel(await checkpoint(golden, config))
    await using engine = await Engine.load(
      { ...files, runtime: await nativeRuntime() },
      (model) => programOf(model, 'classify'),
      { threads: 1 },
    )
    const [batch = 0] = golden.shape('in/x')
    const { outputs } = await engine.run({ batch, inputs: { pixel_values: golden.floats('in/x') } })
    expectClose(outputs.logits?.values as Float32Array, golden.floats('out/logits'), { atol: 5e-4 })
  })

  test('what its config.json has to say is told where it doesn’t', async () => {
    const evo = await readGolden(shared('golden/evovit/stage_half.safetensors'))
    const { global_pool: _, ...reading } = evolved
    expect(await complaint(evo, reading)).toMatch(
      /^BAD_WEIGHTS: .* set "global_pool" to "avg" in config\.json\.$/,
    )
    expect(await complaint(evo, { ...evolved, reduction: 'evo-vit:0.5' })).toMatch(
      /^BAD_WEIGHTS: .* set "reduction" to "evo-vit:0\.5,class-head=true" in config\.json\.$/,
    )
    const dynamic = await readGolden(shared('golden/dynamicvit/eval_gather_07.safetensors'))
    const { reduction: __, ...plain } = sparse
    expect(await complaint(dynamic, plain)).toMatch(
      /^BAD_WEIGHTS: .* say which one in config\.json, as in "reduction": "dynamic-vit:0\.7"\.$/,
    )
    expect(await complaint(evo, { ...evolved, reduction: 'dynamic-vit:0.7' })).toMatch(
      /^BAD_WEIGHTS: .* missing/,
    )
  })
})
