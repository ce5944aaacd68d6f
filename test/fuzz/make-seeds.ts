// Makes test/fuzz/seeds: npm run fuzz:seeds. The pictures of test/fixtures/images are seeds too.
import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { writeHuggingFacePreprocessing } from '../../src/image/hugging-face-preprocessing.js'
import { defaultPreprocessing } from '../../src/image/preprocessing-config.js'
import { initialWeights } from '../../src/model-store/initial-weights.js'
import { parametersOf } from '../../src/model-store/model-files.js'
import type { Architecture } from '../../src/models/architecture.js'
import { presets, withChanges } from '../../src/models/index.js'
import { encodeSafetensors } from '../../src/weights/safetensors/encode.js'
import type { StoredDtype, StoredTensor } from '../../src/weights/stored-tensor.js'
import { toHuggingFace } from '../support/hugging-face-names.js'

const seeds = join(process.cwd(), 'test/fuzz/seeds')
const tiny = { image_size: 8, patch_size: 4, embed_dim: 4, num_heads: 2, mlp_ratio: 1, num_classes: 3 }

function tinyOf(preset: string, changes: Record<string, unknown>): Architecture {
  const found = presets[preset]
  if (found === undefined) throw new Error(`no preset ${preset}`)
  return withChanges(found, { ...tiny, ...changes })
}

type Named = readonly [string, StoredTensor]

function weightsOf(architecture: Architecture): Named[] {
  return parametersOf(architecture).map((parameter) => [
    parameter.name,
    initialWeights(parameter, { seed: 1 }),
  ])
}

async function writeWeights(path: string, tensors: readonly Named[], dtype: StoredDtype): Promise<void> {
  const chunks: Uint8Array[] = []
  for await (const chunk of encodeSafetensors(tensors, { metadata: { format: 'pt' }, dtype }).chunks())
    chunks.push(chunk)
  writeFileSync(path, Buffer.concat(chunks))
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, undefined, 1)}\n`)
}

async function folder(name: string): Promise<string> {
  const path = join(seeds, name)
  await mkdir(path, { recursive: true })
  return path
}

const id2label = { 0: 'ant', 1: 'bee', 2: 'cat' }
const preprocessing = { ...defaultPreprocessing, height: 8, width: 8 }

// timm's names and config
const timm = await folder('timm-f32')
const plain = tinyOf('vit-micro', { depth: 1 })
await writeWeights(join(timm, 'model.safetensors'), weightsOf(plain), 'F32')
writeJson(join(timm, 'config.json'), {
  architecture: 'vit_tiny_patch16_224',
  ...tiny,
  depth: 1,
  global_pool: 'token',
  label_names: ['ant', 'bee', 'cat'],
  pretrained_cfg: {
    input_size: [3, 8, 8],
    crop_pct: 0.9,
    interpolation: 'bicubic',
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  },
})

// Hugging Face's ViT in two shards
const sharded = await folder('huggingface-f16-sharded')
const theirs = [...toHuggingFace(new Map(weightsOf(plain)))]
const shards = [theirs.slice(0, 8), theirs.slice(8)]
const weightMap: Record<string, string> = {}
for (const [at, tensors] of shards.entries()) {
  const file = `model-0000${at + 1}-of-00002.safetensors`
  await writeWeights(join(sharded, file), tensors, 'F16')
  for (const [name] of tensors) weightMap[name] = file
}
writeJson(join(sharded, 'model.safetensors.index.json'), {
  metadata: { total_size: 1 },
  weight_map: weightMap,
})
const huggingFace = {
  hidden_size: 4,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 4,
  image_size: 8,
  patch_size: 4,
  num_channels: 3,
  hidden_act: 'gelu',
  qkv_bias: true,
  layer_norm_eps: 1e-12,
  id2label,
}
writeJson(join(sharded, 'config.json'), {
  model_type: 'vit',
  architectures: ['ViTForImageClassification'],
  ...huggingFace,
})
writeJson(join(sharded, 'preprocessor_config.json'), writeHuggingFacePreprocessing(preprocessing))

// Hugging Face's distilled DeiT
const deit = await folder('deit-bf16')
const distilled = weightsOf(tinyOf('vit-micro', { depth: 1, distilled: true }))
await writeWeights(
  join(deit, 'model.safetensors'),
  [...toHuggingFace(new Map(distilled), { prefix: 'deit.' })],
  'BF16',
)
writeJson(join(deit, 'config.json'), {
  model_type: 'deit',
  architectures: ['DeiTForImageClassificationWithTeacher'],
  ...huggingFace,
})
writeJson(join(deit, 'preprocessor_config.json'), {
  image_processor_type: 'DeiTImageProcessor',
  size: { height: 10, width: 10 },
  crop_size: { height: 8, width: 8 },
  do_center_crop: true,
  resample: 3,
  image_mean: [0.485, 0.456, 0.406],
  image_std: [0.229, 0.224, 0.225],
})

// a big.LITTLE ViT, and one that other programs take for a ViT
const routed = tinyOf('t+48', {
  depth: 2,
  predictor_after: [1],
  little: { embed_dim: 2, num_heads: 1, mlp_ratio: 1 },
})
const configs = {
  'blvit-f32': { ...routed.json, id2label },
  'transformers-js': { model_type: 'vit', ...huggingFace, num_hidden_layers: 2, blvit: routed.json },
}
for (const [name, config] of Object.entries(configs)) {
  const path = await folder(name)
  await writeWeights(join(path, 'model.safetensors'), weightsOf(routed), 'F32')
  writeJson(join(path, 'config.json'), config)
  writeJson(join(path, 'preprocessor_config.json'), writeHuggingFacePreprocessing(preprocessing))
}

// pictures that test/fixtures/images doesn't have
const pictures = join(seeds, 'pictures')
mkdirSync(pictures, { recursive: true })
const colours = Uint8Array.from({ length: 24 * 20 * 3 }, (_, i) => (i * i * 7) & 0xff)
const drawn = () => sharp(colours, { raw: { width: 24, height: 20, channels: 3 } })
await drawn().toColourspace('rgb16').png().toFile(join(pictures, '16-bit.png'))
await drawn().png({ progressive: true }).toFile(join(pictures, 'interlaced.png'))
await drawn().png({ palette: true, colours: 9 }).toFile(join(pictures, 'palette.png'))
await drawn().webp({ lossless: true }).toFile(join(pictures, 'lossless.webp'))
await drawn()
  .ensureAlpha(0.5)
  .webp({ quality: 40 })
  .withExif({ IFD0: { Copyright: 'none' } })
  .toFile(join(pictures, 'alpha-exif.webp'))
await drawn()
  .jpeg({ progressive: true })
  .withMetadata({ orientation: 6 })
  .toFile(join(pictures, 'progressive-turned.jpg'))
await drawn().avif({ quality: 30 }).toFile(join(pictures, 'small.avif'))
