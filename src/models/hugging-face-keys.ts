import { BlvitError } from '../base/blvit-error.js'
import type { ActivationName } from '../nn/activations.js'
import type { Architecture, ConfigJson } from './architecture.js'
import { isBlvit } from './blvit-family.js'
import { readArchitecture } from './index.js'
import { mlpWidth, type VitShape } from './vit-config.js'
import { isVit } from './vit-family.js'

/** transformers' names of activations. */
const activationNames: Readonly<Record<ActivationName, string>> = {
  gelu: 'gelu',
  gelu_tanh: 'gelu_pytorch_tanh',
  quick_gelu: 'quick_gelu',
  relu: 'relu',
  silu: 'silu',
}

function className({ distilled, distilledHead }: VitShape): string {
  if (!distilled) return 'ViTForImageClassification'
  return distilledHead ? 'DeiTForImageClassificationWithTeacher' : 'DeiTForImageClassification'
}

function keysOf(shape: VitShape): ConfigJson {
  const { height, width } = shape.image
  return {
    architectures: [className(shape)],
    model_type: shape.distilled ? 'deit' : 'vit',
    hidden_size: shape.width,
    num_hidden_layers: shape.depth,
    num_attention_heads: shape.heads,
    intermediate_size: mlpWidth(shape),
    hidden_act: activationNames[shape.activation],
    image_size: height === width ? height : [height, width],
    patch_size: shape.patchSize,
    num_channels: shape.channels,
    layer_norm_eps: shape.layerNormEpsilon,
    qkv_bias: shape.qkvBias,
  }
}

/** What a program that runs a file of no ViT must be told to take it for one; the rest stands under `blvit`. */
function disguise({ image: { height, width }, channels }: Architecture): ConfigJson {
  return {
    architectures: ['ViTForImageClassification'],
    model_type: 'vit',
    image_size: height === width ? height : [height, width],
    num_channels: channels,
  }
}

/**
 * The keys by which transformers and transformers.js describe a classifier as a ViT or DeiT. What these keys can't say
 * stands under `blvit`, which {@link readArchitecture} reads first.
 * @throws BlvitError `UNSUPPORTED` for a model that has no classifier
 */
export function huggingFaceKeys(architecture: Architecture): ConfigJson {
  const { classes, json } = architecture
  if (classes === 0) {
    throw new BlvitError(
      'UNSUPPORTED',
      'This model has no classifier, and the export for transformers.js is for classifiers. Export a plain ONNX file, without --for.',
    )
  }
  if (!isVit(architecture) && !isBlvit(architecture)) return { ...disguise(architecture), blvit: json }
  const keys = keysOf(architecture.config)
  const read = readArchitecture({ ...keys, num_labels: classes })
  const says = JSON.stringify(read.json) === JSON.stringify(json)
  return says ? keys : { ...keys, blvit: json }
}
