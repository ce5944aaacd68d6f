import { z } from 'zod'
import { parseWith } from '../base/parse.js'
import type { ConfigJson } from './architecture.js'
import { imageSize, ratio, size } from './config-values.js'
import { readLabelNames } from './label-names.js'

const only = <T extends string | number | boolean>(value: T) =>
  z.literal(value, `only ${JSON.stringify(value)} is supported`).default(value)

/** transformers' `MobileViTConfig`, with its defaults. */
const schema = z.lazy(() =>
  z.looseObject({
    architectures: z.array(z.string()).nullish(),
    num_channels: size.default(3),
    image_size: imageSize.default(256),
    patch_size: size.default(2),
    hidden_sizes: z.tuple([size, size, size]).default([144, 192, 240]),
    neck_hidden_sizes: z
      .tuple([size, size, size, size, size, size, size])
      .default([16, 32, 64, 96, 128, 160, 640]),
    num_attention_heads: size.default(4),
    mlp_ratio: ratio.default(2),
    expand_ratio: ratio.default(4),
    hidden_act: z.enum(['silu', 'swish'], 'only "silu" is supported').default('silu'),
    conv_kernel_size: only(3),
    output_stride: only(32),
    layer_norm_eps: only(1e-5),
    qkv_bias: only(true),
    num_labels: z.int().min(0).max(65_536).optional(),
  }),
)

/** Layers of the three transformers, which no key tells. */
const layers = [2, 4, 3]

/** Our config.json of the model that one of transformers describes. @throws BlvitError `BAD_CONFIG` */
export function readHuggingFaceMobileVit(json: ConfigJson): ConfigJson {
  const config = parseWith(schema, json, 'config.json')
  const [stemWidth, ...widths] = config.neck_hidden_sizes
  const isBackbone = config.architectures?.includes('MobileViTModel') ?? false
  const labels = readLabelNames(json)?.count ?? config.num_labels ?? 2
  return {
    model_type: 'mobilevit',
    image_size: config.image_size,
    in_chans: config.num_channels,
    num_classes: isBackbone ? 0 : labels,
    stem_width: stemWidth,
    stages: widths.slice(0, -1).map((width, index) => {
      const tokenWidth = config.hidden_sizes[index - 2]
      return {
        width,
        depth: index === 1 ? 3 : 1,
        stride: index === 0 ? 1 : 2,
        expand_ratio: config.expand_ratio,
        ...(tokenWidth !== undefined && {
          transformer: {
            embed_dim: tokenWidth,
            depth: layers[index - 2],
            num_heads: config.num_attention_heads,
            mlp_dim: Math.trunc(tokenWidth * config.mlp_ratio),
            patch_size: [config.patch_size, config.patch_size],
          },
        }),
      }
    }),
    final_width: widths.at(-1),
  }
}
