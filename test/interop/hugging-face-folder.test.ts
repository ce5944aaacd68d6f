import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { load } from '../../src/tasks/node/load.js'
import { writeSafetensors } from '../../src/weights/node/write-safetensors.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import { expectClose } from '../support/expect-close.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const [width, heads, depth, side, patch, classes] = [16, 2, 2, 32, 8, 3]
const patches = (side / patch) ** 2

/** Numbers that look random and are the same for the same name. */
function valuesOf(name: string, size: number): Float32Array {
  let state = [...name].reduce((hash, letter) => Math.imul(hash, 31) + letter.charCodeAt(0), 7) >>> 0
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return 0.4 * (state / 2 ** 31 - 1)
  })
}

/** Names and shapes as transformers writes them; nothing of blvit's tables is used. */
function encoder(prefix: string, prefixTokens: number): Record<string, number[]> {
  const shapes: Record<string, number[]> = {
    [`${prefix}.embeddings.cls_token`]: [1, 1, width],
    [`${prefix}.embeddings.position_embeddings`]: [1, patches + prefixTokens, width],
    [`${prefix}.embeddings.patch_embeddings.projection.weight`]: [width, 3, patch, patch],
    [`${prefix}.embeddings.patch_embeddings.projection.bias`]: [width],
  }
  for (let i = 0; i < depth; i++) {
    const layer = `${prefix}.encoder.layer.${i}`
    for (const [name, out, into] of [
      ['attention.attention.query', width, width],
      ['attention.attention.key', width, width],
      ['attention.attention.value', width, width],
      ['attention.output.dense', width, width],
      ['intermediate.dense', 4 * width, width],
      ['output.dense', width, 4 * width],
    ] as const) {
      shapes[`${layer}.${name}.weight`] = [out, into]
      shapes[`${layer}.${name}.bias`] = [out]
    }
    for (const name of ['layernorm_before', 'layernorm_after']) {
      shapes[`${layer}.${name}.weight`] = [width]
      shapes[`${layer}.${name}.bias`] = [width]
    }
  }
  return { ...shapes, [`${prefix}.layernorm.weight`]: [width], [`${prefix}.layernorm.bias`]: [width] }
}

const labels = ['LABEL_0', 'LABEL_1', 'LABEL_2']
const common = {
  attention_probs_dropout_prob: 0.0,
  hidden_act: 'gelu',
  hidden_dropout_prob: 0.0,
  hidden_size: width,
  id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
  image_size: side,
  initializer_range: 0.02,
  intermediate_size: 4 * width,
  label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
  layer_norm_eps: 1e-12,
  num_attention_heads: heads,
  num_channels: 3,
  num_hidden_layers: depth,
  patch_size: patch,
  qkv_bias: true,
  torch_dtype: 'float32',
  transformers_version: '4.13.0.dev0',
}

/** The folders of google/vit-base-patch16-224 and facebook/deit-tiny-distilled-patch16-224, at small size. */
const folders = {
  'a ViT like google/vit-base-patch16-224': {
    config: { ...common, architectures: ['ViTForImageClassification'], model_type: 'vit' },
    preprocessor: {
      do_normalize: true,
      do_resize: true,
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.5, 0.5, 0.5],
      size: side,
    },
    shapes: {
      ...encoder('vit', 1),
      'classifier.weight': [classes, width],
      'classifier.bias': [classes],
      // what checkpoints with the pooling layer also hold
      'vit.pooler.dense.weight': [width, width],
      'vit.pooler.dense.bias': [width],
    },
    prefix: 'vit',
    heads: ['classifier'],
    expected: { cropMode: 'squash', filter: 'bilinear' },
  },
  'a distilled DeiT like facebook/deit-tiny-distilled-patch16-224': {
    config: { ...common, architectures: ['DeiTForImageClassificationWithTeacher'], model_type: 'deit' },
    preprocessor: {
      crop_size: side,
      do_center_crop: true,
      do_normalize: true,
      do_resize: true,
      feature_extractor_type: 'DeiTFeatureExtractor',
      image_mean: [0.485, 0.456, 0.406],
      image_std: [0.229, 0.224, 0.225],
      resample: 3,
      size: 36,
    },
    shapes: {
      ...encoder('deit', 2),
      'deit.embeddings.distillation_token': [1, 1, width],
      'cls_classifier.weight': [classes, width],
      'cls_classifier.bias': [classes],
      'distillation_classifier.weight': [classes, width],
      'distillation_classifier.bias': [classes],
    },
    prefix: 'deit',
    heads: ['cls_classifier', 'distillation_classifier'],
    expected: { cropMode: 'squash', filter: 'bicubic', height: side },
  },
}

type Rows = number[][]

/** A slow ViT in plain numbers, from transformers' names: what the folder means. */
function referenceLogits(
  tensors: ReadonlyMap<string, Float32Array>,
  { prefix, heads: headNames }: { prefix: string; heads: readonly string[] },
  pixels: Float32Array,
): number[] {
  const get = (name: string) => tensors.get(name) as Float32Array
  const dot = (weight: Float32Array, row: number, x: readonly number[]) =>
    x.reduce((sum, value, i) => sum + value * (weight[row * x.length + i] as number), 0)
  const linear = (name: string, rows: Rows): Rows => {
    const [weight, bias] = [get(`${name}.weight`), get(`${name}.bias`)]
    return rows.map((x) => Array.from(bias, (b, row) => b + dot(weight, row, x)))
  }
  const norm = (name: string, rows: Rows): Rows => {
    const [weight, bias] = [get(`${name}.weight`), get(`${name}.bias`)]
    return rows.map((x) => {
      const mean = x.reduce((a, b) => a + b, 0) / width
      const deviation = Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / width + 1e-12)
      return x.map((v, i) => ((v - mean) / deviation) * (weight[i] as number) + (bias[i] as number))
    })
  }
  const sum = (a: Rows, b: Rows): Rows => a.map((row, i) => row.map((v, j) => v + (b[i]?.[j] as number)))
  const erf = (x: number) => {
    let [term, total] = [x, x]
    for (let n = 1; n < 60; n++) {
      term *= -(x * x) / n
      total += term / (2 * n + 1)
    }
    return (2 / Math.sqrt(Math.PI)) * total
  }
  const gelu = (rows: Rows): Rows => rows.map((x) => x.map((v) => (v * (1 + erf(v / Math.SQRT2))) / 2))
  const attend = (name: string, x: Rows): Rows => {
    const [q, k, v] = ['query', 'key', 'value'].map((part) => linear(`${name}.attention.${part}`, x)) as [
      Rows,
      Rows,
      Rows,
    ]
    const each = width / heads
    const mixed = q.map((query) =>
      Array.from({ length: width }, (_, channel) => {
        const from = Math.floor(channel / each) * each
        const part = (row: readonly number[]) => row.slice(from, from + each)
        const scores = k.map((key) =>
          Math.exp(part(key).reduce((s, c, i) => s + c * (query[from + i] as number), 0) / Math.sqrt(each)),
        )
        const total = scores.reduce((a, b) => a + b, 0)
        return v.reduce((s, row, i) => s + ((scores[i] as number) / total) * (row[channel] as number), 0)
      }),
    )
    return linear(`${name}.output.dense`, mixed)
  }

  const tokens: Rows = [
    [...get(`${prefix}.embeddings.cls_token`)],
    ...(prefix === 'deit' ? [[...get('deit.embeddings.distillation_token')]] : []),
  ]
  for (let top = 0; top < side; top += patch) {
    for (let left = 0; left < side; left += patch) {
      const cut: number[] = []
      for (let c = 0; c < 3; c++)
        for (let y = 0; y < patch; y++)
          for (let x = 0; x < patch; x++) cut.push(pixels[(c * side + top + y) * side + left + x] as number)
      tokens.push(linear(`${prefix}.embeddings.patch_embeddings.projection`, [cut])[0] as number[])
    }
  }
  const positions = get(`${prefix}.embeddings.position_embeddings`)
  let x = tokens.map((row, t) => row.map((v, i) => v + (positions[t * width + i] as number)))
  for (let i = 0; i < depth; i++) {
    const layer = `${prefix}.encoder.layer.${i}`
    x = sum(x, attend(`${layer}.attention`, norm(`${layer}.layernorm_before`, x)))
    const hidden = gelu(linear(`${layer}.intermediate.dense`, norm(`${layer}.layernorm_after`, x)))
    x = sum(x, linear(`${layer}.output.dense`, hidden))
  }
  const features = norm(`${prefix}.layernorm`, x)
  const logits = headNames.map((name, token) => linear(name, [features[token] as number[]])[0] as number[])
  return Array.from(
    { length: classes },
    (_, i) => logits.reduce((s, row) => s + (row[i] as number), 0) / logits.length,
  )
}

describe('an untouched folder of the hub', () => {
  const scratch = temporaryFolder()
  test.each(Object.entries(folders))(
    '%s loads and computes what transformers computes',
    async (name, given) => {
      const folder = join(scratch, name.replaceAll(/\W/g, '-'))
      mkdirSync(folder)
      writeFileSync(join(folder, 'config.json'), JSON.stringify(given.config))
      writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(given.preprocessor))
      const tensors = new Map(
        Object.entries(given.shapes).map(([key, shape]) => {
          const values = valuesOf(
            key,
            shape.reduce((a, b) => a * b, 1),
          )
          return [
            key,
            key.includes('layernorm') && key.endsWith('weight') ? values.map((v) => v + 1) : values,
          ]
        }),
      )
      const stored = Object.entries(given.shapes).map(
        ([key, shape]) => [key, storedFrom(tensors.get(key) as Float32Array, shape)] as const,
      )
      await writeSafetensors(join(folder, 'model.safetensors'), stored, { metadata: { format: 'pt' } })

      await using model = await load(folder)
      expect(model.labels).toEqual(labels)
      expect(model.preprocessing).toMatchObject(given.expected)
      const pixels = await model.prepare(new URL('../../examples/kite.jpg', import.meta.url))
      expectClose(await model.logits([pixels]), referenceLogits(tensors, given, pixels), { atol: 1e-5 })
    },
  )
})
