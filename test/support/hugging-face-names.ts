import type { StoredTensor, StoredTensors } from '../../src/weights/stored-tensor.js'
import { sliceRows } from './slice-rows.js'

/** The names of transformers' modeling_vit.py and modeling_deit.py, up to version 4 and in memory of version 5. */
const styles = {
  4: {
    block: 'encoder.layer',
    qkv: ['attention.attention.query', 'attention.attention.key', 'attention.attention.value'],
    attn: 'attention.output.dense',
    fc1: 'intermediate.dense',
    fc2: 'output.dense',
  },
  5: {
    block: 'layers',
    qkv: ['attention.q_proj', 'attention.k_proj', 'attention.v_proj'],
    attn: 'attention.o_proj',
    fc1: 'mlp.fc1',
    fc2: 'mlp.fc2',
  },
} as const

export interface HuggingFaceNaming {
  readonly style?: keyof typeof styles
  readonly prefix?: string
  /** DeiT's head under its plain name, as fine-tuning leaves it. */
  readonly oneHead?: boolean
}

/** A ViT's tensors as transformers stores them: query, key and value apart. Written apart from the rules in `src/`. */
export function toHuggingFace(
  tensors: StoredTensors,
  { style = 4, prefix = 'vit.', oneHead = false }: HuggingFaceNaming = {},
): StoredTensors {
  const { block, qkv, attn, fc1, fc2 } = styles[style]
  const distilled = tensors.has('dist_token')
  const stems: Readonly<Record<string, string>> = {
    cls_token: 'embeddings.cls_token',
    dist_token: 'embeddings.distillation_token',
    pos_embed: 'embeddings.position_embeddings',
    'patch_embed.proj': 'embeddings.patch_embeddings.projection',
    norm: 'layernorm',
  }
  const inside: Readonly<Record<string, string>> = {
    norm1: 'layernorm_before',
    norm2: 'layernorm_after',
    'attn.proj': attn,
    'mlp.fc1': fc1,
    'mlp.fc2': fc2,
  }
  const named: (readonly [string, StoredTensor])[] = []
  for (const [name, tensor] of tensors) {
    const leaf = /\.(weight|bias)$/.exec(name)?.[0] ?? ''
    const stem = name.slice(0, name.length - leaf.length)
    const [, index = '', rest = ''] = /^blocks\.(\d+)\.(.+)$/.exec(stem) ?? []
    if (stem === 'head') {
      named.push([`${distilled && !oneHead ? 'cls_' : ''}classifier${leaf}`, tensor])
    } else if (stem === 'head_dist') {
      if (!oneHead) named.push([`distillation_classifier${leaf}`, tensor])
    } else if (rest === 'attn.qkv') {
      const count = (tensor.shape[0] ?? 0) / 3
      qkv.forEach((part, i) => {
        named.push([
          `${prefix}${block}.${index}.${part}${leaf}`,
          sliceRows(tensor, { start: i * count, count }),
        ])
      })
    } else if (rest) {
      named.push([`${prefix}${block}.${index}.${inside[rest]}${leaf}`, tensor])
    } else {
      named.push([`${prefix}${stems[stem]}${leaf}`, tensor])
    }
  }
  return new Map(named)
}
