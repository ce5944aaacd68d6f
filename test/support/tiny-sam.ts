import type { Architecture } from '../../src/models/architecture.js'
import { presets, withChanges } from '../../src/models/index.js'

/** Windows of 3 on a grid of 5, so that some have places outside of it; the second layer sees all of the picture. */
export function tinySam(changes: Readonly<Record<string, unknown>> = {}): Architecture {
  const micro = presets['sam-micro']
  if (!micro) throw new Error('no sam-micro')
  const { vision_config: vision, mask_decoder_config: decoder } = micro.json as Record<string, object>
  const { embed_dim: output_channels = 8, ...others } = changes
  return withChanges(micro, {
    vision_config: {
      ...vision,
      ...{ hidden_size: 8, num_hidden_layers: 3, num_attention_heads: 2, mlp_dim: 16, output_channels },
      ...{ image_size: 20, patch_size: 4, window_size: 3, global_attn_indexes: [1] },
    },
    mask_decoder_config: { ...decoder, num_attention_heads: 2, mlp_dim: 8, iou_head_hidden_dim: 4 },
    ...others,
  })
}
