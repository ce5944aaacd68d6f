import { readFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { defined } from '../../src/base/assert.js'
import { convert } from '../../src/model-store/convert.js'
import { initialise } from '../../src/model-store/initialise.js'
import { readDescription } from '../../src/model-store/model-files.js'
import { convertFolder } from '../../src/model-store/node/convert-folder.js'
import { openModel } from '../../src/model-store/node/open-model.js'
import { writeModelFolder } from '../../src/model-store/node/write-model-folder.js'
import { presets, withChanges } from '../../src/models/index.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { MaskEngine } from '../../src/tasks/segment/mask-engine.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { randomModel, zeroed } from '../support/tiny-models.js'

const folder = temporaryFolder()
const micro = defined(presets['sam-micro'], 'sam-micro')

/** The small SAM with P- and E-blocks from its second layer on. */
function routed(quota: string, keepRatio: number) {
  return withChanges(micro, {
    quota,
    routing: {
      ...{ full_layers: 1, predictor_after: [1, 3], keep_ratio: keepRatio },
      little: { embed_dim: 24, num_heads: 2, layers: [2, 3] },
    },
  })
}

beforeAll(() => writeModelFolder(join(folder, 'micro'), initialise(micro), { card: '' }))

test('nothing is assumed of pictures where no file tells how they are prepared: SAM itself says it', async () => {
  const bare = join(folder, 'bare')
  const filter = (path: string) => !path.endsWith('preprocessor_config.json')
  await cp(join(folder, 'micro'), bare, { recursive: true, filter })
  const { assumptions } = await openModel(bare)
  expect(assumptions).toEqual([])
})

test('weights alone, without a config.json, become the model that the target says', async () => {
  const weights = join(folder, 'micro', 'model.safetensors')
  const { copied, fresh } = await convertFolder(weights, { to: 'sam-micro', output: join(folder, 'made') })
  expect(fresh).toEqual([])
  const { architecture } = await openModel(join(folder, 'made'))
  expect(architecture.json).toEqual(micro.json)
  expect(copied).toHaveLength(202)
})

test('MobileSAM’s own file becomes a folder without norms and classifier, with what transformers calls its preprocessing', async () => {
  const source = fileURLToPath(new URL('../fixtures/segment/mobile-sam/', import.meta.url))
  const output = join(folder, 'mobile')
  const options = { to: join(source, 'config.json'), output }
  const { fresh, dropped } = await convertFolder(join(source, 'mobile_sam.pt'), options)
  expect({ fresh, dropped }).toEqual({ fresh: [], dropped: [] })
  const { weights, assumptions } = await openModel(output)
  expect([...weights.keys()].filter((name) => /\.bn\.|^image_encoder\.(norm_)?head\./.test(name))).toEqual([])
  expect(assumptions).toEqual([])
  const preprocessor = JSON.parse(readFileSync(join(output, 'preprocessor_config.json'), 'utf8'))
  expect(preprocessor).toMatchObject({
    image_processor_type: 'SamImageProcessor',
    size: { longest_edge: 64 },
  })
})

test('weights of another network that cuts things out are refused by its name', async () => {
  const source = await openModel(join(folder, 'micro'))
  for (const name of ['mobile-sam', 'efficient-sam-ti', 'vit-tiny']) {
    const made = convert(source, defined(presets[name], name), { name })
    await expect(made).rejects.toThrow(
      `${name} can't take these weights: they are of another network (sam, not`,
    )
  }
})

test('a preprocessor_config.json that says another mean is told, and not followed', () => {
  const preprocessorConfig = { image_mean: [0.5, 0.5, 0.5], image_std: [0.229, 0.224, 0.225] }
  const { assumptions, preprocessing } = readDescription({ config: micro.json, preprocessorConfig })
  expect(assumptions).toEqual([
    "preprocessor_config.json says image_mean [0.5, 0.5, 0.5], not [0.485, 0.456, 0.406]: the latter, its family's, is taken",
  ])
  expect(preprocessing.mean).toEqual([0.485, 0.456, 0.406])
})

test('a model of other sizes is refused by what differs', async () => {
  const source = await openModel(join(folder, 'micro'))
  const other = defined(presets['sam-b+t'], 'sam-b+t')
  await expect(convert(source, other, { name: 'sam-b+t' })).rejects.toThrow(
    'vision_config.hidden_size 48, not 768',
  )
})

test.each(['equal', 'proportional'])(
  'a big.LITTLE one that keeps all tokens equals the SAM whose weights it took, with a quota that is %s',
  async (quota) => {
    const plain = randomModel(micro)
    const { files, copied } = await convert(plain, routed(quota, 1))
    expect(copied).toHaveLength(202)
    const runtime = { runtime: await nativeRuntime(), reason: 'for a test' }
    const pixels = {
      width: 50,
      height: 40,
      values: Uint8Array.from({ length: 6000 }, (_, at) => (at * 31) % 256),
    }
    await using one = new MaskEngine(plain, runtime)
    await using other = new MaskEngine(zeroed(files, /gamma[12]$/), runtime)
    const [expected, actual] = [await one.encode(pixels), await other.encode(pixels)]
    const apart = actual.embedding.map((value, at) =>
      Math.abs(value - (expected.embedding[at] ?? Number.NaN)),
    )
    expect(Math.max(...apart)).toBeLessThan(1e-5)
  },
)
