import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openModel } from '../../src/model-store/node/open-model.js'
import { shippedFolder } from '../../src/model-store/node/shipped-models.js'
import { load } from '../../src/tasks/node/load.js'
import { writeSafetensors } from '../../src/weights/node/write-safetensors.js'
import { toHuggingFace } from '../support/hugging-face-names.js'

const picture = new URL('../../examples/kite.jpg', import.meta.url)

describe('a ViT as transformers stores it', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'blvit-hf-'))
    const { weights } = await openModel(shippedFolder('vit-tiny'))
    await writeSafetensors(join(folder, 'model.safetensors'), toHuggingFace(weights))
    // The keys that transformers' ViTConfig writes, and its image processor's.
    const config = {
      architectures: ['ViTForImageClassification'],
      model_type: 'vit',
      hidden_size: 192,
      num_hidden_layers: 12,
      num_attention_heads: 3,
      intermediate_size: 768,
      hidden_act: 'gelu',
      image_size: 224,
      patch_size: 16,
      num_channels: 3,
      layer_norm_eps: 1e-6,
      qkv_bias: true,
      id2label: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [i, `LABEL_${i}`])),
    }
    await writeFile(join(folder, 'config.json'), JSON.stringify(config))
    const processor = {
      image_processor_type: 'ViTImageProcessor',
      do_resize: true,
      do_rescale: true,
      do_normalize: true,
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.5, 0.5, 0.5],
      resample: 2,
      size: { height: 224, width: 224 },
    }
    await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify(processor))
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('gives the same logits bit for bit as under timm’s names', async () => {
    await using timm = await load('vit-tiny')
    await using huggingFace = await load(folder)
    const pixels = await timm.prepare(picture)
    expect(await huggingFace.logits([pixels])).toEqual(await timm.logits([pixels]))
  })

  test('is prepared by its own processor’s rules: squashed, not cropped', async () => {
    await using model = await load(folder)
    expect(model.preprocessing).toMatchObject({ cropMode: 'squash', filter: 'bilinear' })
    const { top } = await model.classify(picture)
    expect(top[0]?.index).toBe(21)
  })
})
