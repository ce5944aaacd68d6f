import type { NameMap, NameRule } from './name-map.js'
import type { SamConfig } from './sam-config.js'

const attentions = ['self_attn', 'cross_attn_token_to_image', 'cross_attn_image_to_token']

/** Linear maps one after the other: `proj_in`, `layers.0`, …, `proj_out` there. */
function stackRules(ours: string, theirs: string, count: number): readonly NameRule[] {
  return Array.from({ length: count }, (_, at): NameRule => {
    const name = at === 0 ? 'proj_in' : at === count - 1 ? 'proj_out' : `layers.${at - 1}`
    return { ours: `${ours}.layers.${at}.{p}`, theirs: `${theirs}.${name}.{p}` }
  })
}

/** transformers' names of SAM. The frequencies of places stand twice there; the second is left out. */
export function huggingFaceSam({ decoder }: Pick<SamConfig, 'decoder'>): NameMap {
  const block = { ours: 'image_encoder.blocks.{i}', theirs: 'vision_encoder.layers.{i}' }
  const layer = 'mask_decoder.transformer.layers.{i}'
  const pairs = (ours: string, theirs: string, names: readonly (readonly [string, string])[]) =>
    names.map(
      ([mine, other]): NameRule => ({ ours: `${ours}.${mine}.{p}`, theirs: `${theirs}.${other}.{p}` }),
    )
  return {
    dialect: 'huggingface-sam',
    detect: (names) => names.some((name) => name.endsWith('vision_encoder.pos_embed')),
    rules: [
      { ours: 'image_encoder.pos_embed', theirs: 'vision_encoder.pos_embed' },
      { ours: 'image_encoder.patch_embed.proj.{p}', theirs: 'vision_encoder.patch_embed.projection.{p}' },
      ...pairs(block.ours, block.theirs, [
        ['norm1', 'layer_norm1'],
        ['norm2', 'layer_norm2'],
      ]),
      { ours: `${block.ours}.{x}`, theirs: `${block.theirs}.{x}` },
      ...pairs('image_encoder.neck', 'vision_encoder.neck', [
        ['0', 'conv1'],
        ['1', 'layer_norm1'],
        ['2', 'conv2'],
        ['3', 'layer_norm2'],
      ]),
      {
        ours: 'prompt_encoder.pe_layer.positional_encoding_gaussian_matrix',
        theirs: 'shared_image_embedding.positional_embedding',
      },
      ...pairs('prompt_encoder.mask_downscaling', 'prompt_encoder.mask_embed', [
        ['0', 'conv1'],
        ['1', 'layer_norm1'],
        ['3', 'conv2'],
        ['4', 'layer_norm2'],
        ['6', 'conv3'],
      ]),
      { ours: 'prompt_encoder.point_embeddings.{i}.{p}', theirs: 'prompt_encoder.point_embed.{i}.{p}' },
      ...pairs(
        layer,
        layer,
        [1, 2, 3, 4].map((number) => [`norm${number}`, `layer_norm${number}`] as const),
      ),
      ...[...attentions, 'mlp'].map(
        (part): NameRule => ({ ours: `${layer}.${part}.{x}`, theirs: `${layer}.${part}.{x}` }),
      ),
      ...pairs('mask_decoder.transformer', 'mask_decoder.transformer', [
        ['norm_final_attn', 'layer_norm_final_attn'],
      ]),
      ...pairs('mask_decoder.output_upscaling', 'mask_decoder', [
        ['0', 'upscale_conv1'],
        ['1', 'upscale_layer_norm'],
        ['3', 'upscale_conv2'],
      ]),
      ...Array.from({ length: 1 + decoder.masks }, (_, mask) =>
        stackRules(
          `mask_decoder.output_hypernetworks_mlps.${mask}`,
          `mask_decoder.output_hypernetworks_mlps.${mask}`,
          3,
        ),
      ).flat(),
      ...stackRules('mask_decoder.iou_prediction_head', 'mask_decoder.iou_prediction_head', decoder.iouDepth),
    ],
    prefixes: [],
    ignored: /^prompt_encoder\.shared_embedding\./,
  }
}
