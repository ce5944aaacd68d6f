import type { NameMap, NameRule } from './name-map.js'

/** The blocks of transformers' ViT, DeiT and DINOv2 (modeling_*.py), in the spellings that checkpoints have. */
function blockRules(block: string): readonly NameRule[] {
  const qkv = (names: readonly [string, string, string]) => ({
    ours: 'blocks.{i}.attn.qkv.{p}',
    theirs: names.map((name) => `${block}.attention.${name}.{p}`),
  })
  const rule = (ours: string, theirs: string): NameRule => ({
    ours: `blocks.{i}.${ours}.{p}`,
    theirs: `${block}.${theirs}.{p}`,
  })
  return [
    qkv(['attention.query', 'attention.key', 'attention.value']),
    rule('attn.proj', 'attention.output.dense'),
    rule('norm1', 'layernorm_before'),
    rule('norm2', 'layernorm_after'),
    rule('mlp.fc1', 'intermediate.dense'),
    rule('mlp.fc2', 'output.dense'),
    // transformers 5 in memory, which some tools save as it is
    qkv(['q_proj', 'k_proj', 'v_proj']),
    rule('attn.proj', 'attention.o_proj'),
    // DINOv2, and transformers 5
    rule('norm1', 'norm1'),
    rule('norm2', 'norm2'),
    rule('mlp.fc1', 'mlp.fc1'),
    rule('mlp.fc2', 'mlp.fc2'),
    { ours: 'blocks.{i}.ls1.gamma', theirs: `${block}.layer_scale1.lambda1` },
    { ours: 'blocks.{i}.ls2.gamma', theirs: `${block}.layer_scale2.lambda1` },
  ]
}

/** `ViTModel`, `DeiTModel`, `Dinov2Model`, those with registers, and what stands on them. */
const huggingFace: NameMap = {
  dialect: 'huggingface',
  detect: (names) => names.some((name) => name.endsWith('embeddings.patch_embeddings.projection.weight')),
  rules: [
    { ours: 'cls_token', theirs: 'embeddings.cls_token' },
    { ours: 'dist_token', theirs: 'embeddings.distillation_token' },
    { ours: 'reg_token', theirs: 'embeddings.register_tokens' },
    { ours: 'pos_embed', theirs: 'embeddings.position_embeddings' },
    { ours: 'patch_embed.proj.{p}', theirs: 'embeddings.patch_embeddings.projection.{p}' },
    ...blockRules('encoder.layer.{i}'),
    ...blockRules('layers.{i}'),
    { ours: 'norm.{p}', theirs: 'layernorm.{p}' },
    // DeiT with a teacher has two heads; everything else one, under its plain name
    { ours: 'head.{p}', theirs: 'cls_classifier.{p}' },
    { ours: 'head_dist.{p}', theirs: 'distillation_classifier.{p}' },
    { ours: 'head.{p}', theirs: 'classifier.{p}' },
  ],
  prefixes: ['vit.', 'deit.', 'dinov2.', 'dinov2_with_registers.'],
  // the pooler is a tanh layer for sentence-like outputs, mask token and decoder belong to masked pretraining
  ignored: /^(pooler\.|embeddings\.mask_token$|decoder\.)/,
}

const clipBlock = 'encoder.layers.{i}'

/** `CLIPVisionModel`, with a projection or a classifier, and the vision tower of a whole `CLIPModel`. */
const huggingFaceClip: NameMap = {
  dialect: 'huggingface-clip',
  detect: (names) => names.some((name) => name.endsWith('embeddings.class_embedding')),
  rules: [
    { ours: 'cls_token', theirs: 'embeddings.class_embedding', rank: 3 },
    { ours: 'pos_embed', theirs: 'embeddings.position_embedding.weight', rank: 3 },
    { ours: 'patch_embed.proj.{p}', theirs: 'embeddings.patch_embedding.{p}' },
    // sic: transformers spells it so
    { ours: 'norm_pre.{p}', theirs: 'pre_layrnorm.{p}' },
    {
      ours: 'blocks.{i}.attn.qkv.{p}',
      theirs: ['q', 'k', 'v'].map((part) => `${clipBlock}.self_attn.${part}_proj.{p}`),
    },
    { ours: 'blocks.{i}.attn.proj.{p}', theirs: `${clipBlock}.self_attn.out_proj.{p}` },
    { ours: 'blocks.{i}.norm1.{p}', theirs: `${clipBlock}.layer_norm1.{p}` },
    { ours: 'blocks.{i}.norm2.{p}', theirs: `${clipBlock}.layer_norm2.{p}` },
    { ours: 'blocks.{i}.mlp.fc1.{p}', theirs: `${clipBlock}.mlp.fc1.{p}` },
    { ours: 'blocks.{i}.mlp.fc2.{p}', theirs: `${clipBlock}.mlp.fc2.{p}` },
    { ours: 'norm.{p}', theirs: 'post_layernorm.{p}' },
    { ours: 'head.{p}', theirs: 'classifier.{p}' },
  ],
  prefixes: ['vision_model.', 'clip.vision_model.'],
  ignored: /^(text_model\.|text_projection\.|logit_scale$)/,
}

/** The official code of AdaViT, on DeiT and on T2T-ViT: timm's names, but queries, keys and values apart. */
export const adaVitNames: NameMap = {
  dialect: 'adavit',
  detect: (names) => names.some((name) => /^blocks\.\d+\.attn\.query\.weight$/.test(name)),
  rules: [
    {
      ours: 'blocks.{i}.attn.qkv.{p}',
      theirs: ['query', 'key', 'value'].map((part) => `blocks.{i}.attn.${part}.{p}`),
    },
  ],
  prefixes: [],
  ignored: /$^/,
}

/** The official code of Evo-ViT (YifanXu74/Evo-ViT, DeiT version), whose head reads the mean of the patches. */
export const evoVitNames: NameMap = {
  dialect: 'evo-vit',
  detect: (names) => names.some((name) => name.endsWith('qks.0.qk.weight')),
  rules: [
    { ours: 'blocks.{i}.attn.qkv.{p}', theirs: ['qks.{i}.qk.{p}', 'vs.{i}.v.{p}'] },
    { ours: 'blocks.{i}.attn.proj.{p}', theirs: 'projs.{i}.{p}' },
    { ours: 'blocks.{i}.norm1.{p}', theirs: 'norms.{i}.{p}' },
    { ours: 'fc_norm.{p}', theirs: 'norm.{p}' },
  ],
  prefixes: [],
  ignored: /^$/,
}

/** The dialects of a ViT's parameter names beside ours, which is timm's. */
export const vitNames: readonly NameMap[] = [huggingFace, huggingFaceClip, evoVitNames, adaVitNames]
