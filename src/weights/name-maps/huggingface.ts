import type { NameMap, NameRule } from './name-rules.js'

// transformers, modeling_vit.py and modeling_deit.py. Query, key and value are three linear maps there.
const encoder: readonly NameRule[] = [
  { timm: 'cls_token', theirs: 'embeddings.cls_token' },
  { timm: 'pos_embed', theirs: 'embeddings.position_embeddings' },
  { timm: 'patch_embed.proj.{p}', theirs: 'embeddings.patch_embeddings.projection.{p}' },
  { timm: 'blocks.{i}.norm1.{p}', theirs: 'encoder.layer.{i}.layernorm_before.{p}' },
  {
    timm: 'blocks.{i}.attn.qkv.{p}',
    theirs: [
      'encoder.layer.{i}.attention.attention.query.{p}',
      'encoder.layer.{i}.attention.attention.key.{p}',
      'encoder.layer.{i}.attention.attention.value.{p}',
    ],
  },
  { timm: 'blocks.{i}.attn.proj.{p}', theirs: 'encoder.layer.{i}.attention.output.dense.{p}' },
  { timm: 'blocks.{i}.norm2.{p}', theirs: 'encoder.layer.{i}.layernorm_after.{p}' },
  { timm: 'blocks.{i}.mlp.fc1.{p}', theirs: 'encoder.layer.{i}.intermediate.dense.{p}' },
  { timm: 'blocks.{i}.mlp.fc2.{p}', theirs: 'encoder.layer.{i}.output.dense.{p}' },
  { timm: 'norm.{p}', theirs: 'layernorm.{p}' },
]

/** The pooler is a tanh layer for sentence-like outputs, the mask token belongs to masked pretraining. */
const ignored = /^(pooler\.|embeddings\.mask_token$)/

/** `ViTForImageClassification` and `ViTModel`; also non-distilled DeiT, which the hub stores as ViT. */
export const huggingfaceVit: NameMap = {
  dialect: 'huggingface-vit',
  detect: (names) => hasPatchProjection(names) && !isDeit(names),
  rules: [...encoder, { timm: 'head.{p}', theirs: 'classifier.{p}' }],
  prefix: 'vit.',
  bare: ['classifier'],
  ignored,
}

/** `DeiTForImageClassificationWithTeacher`, `DeiTForImageClassification` and `DeiTModel`. */
export const huggingfaceDeit: NameMap = {
  dialect: 'huggingface-deit',
  detect: (names) => hasPatchProjection(names) && isDeit(names),
  rules: [
    ...encoder,
    { timm: 'dist_token', theirs: 'embeddings.distillation_token' },
    // With a teacher there are two heads; without, one, under its plain name.
    { timm: 'head.{p}', theirs: 'cls_classifier.{p}' },
    { timm: 'head_dist.{p}', theirs: 'distillation_classifier.{p}' },
    { timm: 'head.{p}', theirs: 'classifier.{p}' },
  ],
  prefix: 'deit.',
  bare: ['cls_classifier', 'distillation_classifier', 'classifier'],
  ignored,
}

function hasPatchProjection(names: readonly string[]): boolean {
  return names.some((name) => /^(\w+\.)?embeddings\.patch_embeddings\.projection\.weight$/.test(name))
}

function isDeit(names: readonly string[]): boolean {
  return names.some((name) => name.startsWith('deit.') || name.endsWith('embeddings.distillation_token'))
}
