import type { ConfigJson } from './architecture.js'
import { mlpWidth } from './vit-config.js'
import { readVitShape } from './vit-json.js'

/** The keys by which transformers and transformers.js describe a ViT, from ours. */
export function huggingFaceVitKeys(json: ConfigJson): ConfigJson {
  const shape = readVitShape(json)
  const family = shape.distilled ? 'DeiT' : 'ViT'
  return {
    architectures: [`${family}ForImageClassification${shape.distilled ? 'WithTeacher' : ''}`],
    model_type: family.toLowerCase(),
    hidden_size: shape.width,
    num_hidden_layers: shape.depth,
    num_attention_heads: shape.heads,
    intermediate_size: mlpWidth(shape),
    hidden_act: 'gelu',
    image_size: json.image_size,
    patch_size: shape.patchSize,
    num_channels: shape.channels,
    layer_norm_eps: shape.layerNormEpsilon,
    qkv_bias: true,
  }
}
