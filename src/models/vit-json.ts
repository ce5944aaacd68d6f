import { BlvitError } from '../base/blvit-error.js'
import type { ConfigJson } from './architecture.js'
import { huggingFaceTypes, readHuggingFaceConfig } from './hugging-face-config.js'
import { readTimmConfig } from './timm-config.js'
import { mlpWidth, prefixCount, usualSwitches, type VitShape } from './vit-config.js'

function bad(text: string): BlvitError {
  return new BlvitError('BAD_CONFIG', text)
}

function isWhole(count: number): boolean {
  return Number.isInteger(count) && count > 0
}

/** The two nearest sides that patches fill. */
function filledSizes(side: number, patchSize: number): readonly number[] {
  const below = Math.floor(side / patchSize) * patchSize
  return [below, below + patchSize].filter((size) => size > 0)
}

// Grey or colour: with more channels nobody says what they would be.
const channelCounts = [1, 3]

/** @throws BlvitError `BAD_CONFIG` for sizes that make no model */
export function checkedShape(shape: VitShape): VitShape {
  const { image, patchSize, width, heads, channels } = shape
  if (!isWhole(image.height / patchSize) || !isWhole(image.width / patchSize)) {
    throw bad(
      `image_size ${image.height}×${image.width} is not a multiple of patch_size ${patchSize}. ` +
        `Choose an image size that the patches fill, e.g. ${filledSizes(image.width, patchSize).join(' or ')}.`,
    )
  }
  if (width % heads !== 0) throw bad(`embed_dim ${width} can't be shared by num_heads ${heads}.`)
  if (mlpWidth(shape) < 1) {
    throw bad(`mlp_ratio ${shape.mlpRatio} leaves an MLP of embed_dim ${width} no width.`)
  }
  if (!channelCounts.includes(channels)) {
    throw bad(
      `The model takes pictures of ${channels} channels; blvit makes them of 3 (red, green, blue) or 1 (grey).`,
    )
  }
  if (shape.distilled && (!shape.classToken || shape.registers > 0)) {
    throw bad('A distillation token needs a class token and no registers (class_token, reg_tokens).')
  }
  if (shape.distilledHead && shape.pooling !== 'token') {
    throw bad('global_pool must be "token" where the distillation token has a head (distilled).')
  }
  if ((shape.embeddedPrefix ?? 0) > prefixCount(shape)) {
    throw bad(`embed_prefix ${shape.embeddedPrefix} is more than the ${prefixCount(shape)} prefix tokens.`)
  }
  return shape
}

/** A ViT from config.json in timm's, Hugging Face's or our form. @throws BlvitError `BAD_CONFIG` */
export function readVitShape(json: ConfigJson): VitShape {
  const ours = 'embed_dim' in json || 'architecture' in json
  const theirs = !ours && huggingFaceTypes.includes(`${json.model_type}`)
  return checkedShape(theirs ? readHuggingFaceConfig(json) : readTimmConfig(json))
}

/** The keys of all switches, with their values and whether these are not as usual. */
function switchesOf(shape: VitShape): Readonly<Record<string, readonly [differs: boolean, value: unknown]>> {
  const usual = usualSwitches(shape)
  const prefix = prefixCount(shape)
  const { embeddedPrefix, pooling, finalNorm } = shape
  return {
    class_token: [!shape.classToken, shape.classToken],
    reg_tokens: [shape.registers > 0, shape.registers],
    pos_embed: [embeddedPrefix === undefined, 'none'],
    no_embed_class: [prefix > 0 && embeddedPrefix === 0, true],
    embed_prefix: [
      embeddedPrefix !== undefined && embeddedPrefix > 0 && embeddedPrefix < prefix,
      embeddedPrefix,
    ],
    pos_embed_resampling: [shape.positionResampling !== undefined, shape.positionResampling],
    pre_norm: [shape.preNorm, true],
    patch_bias: [shape.patchBias === shape.preNorm, shape.patchBias],
    qkv_bias: [!shape.qkvBias, false],
    proj_bias: [!shape.projBias, false],
    qk_norm: [shape.qkNorm, true],
    init_values: [shape.layerScale !== undefined, shape.layerScale],
    act_layer: [shape.activation !== usual.activation, shape.activation],
    global_pool: [pooling !== 'token', pooling === 'mean' ? 'avg' : 'token+avg'],
    final_norm: [finalNorm === 'none', false],
    fc_norm: [
      finalNorm !== 'none' && (finalNorm === 'pooled') !== (pooling === 'mean'),
      finalNorm === 'pooled',
    ],
    distilled_head: [shape.distilled && !shape.distilledHead, false],
    projection_dim: [shape.projection !== undefined, shape.projection],
  }
}

/** The same model as config.json keys, in timm's names where it has any. */
export function writeVitShape(shape: VitShape): ConfigJson {
  const { image } = shape
  return {
    image_size: image.height === image.width ? image.height : [image.height, image.width],
    patch_size: shape.patchSize,
    in_chans: shape.channels,
    num_classes: shape.classes,
    embed_dim: shape.width,
    depth: shape.depth,
    num_heads: shape.heads,
    mlp_ratio: shape.mlpRatio,
    layer_norm_eps: shape.layerNormEpsilon,
    distilled: shape.distilled,
    // usual ones are left out
    ...Object.fromEntries(
      Object.entries(switchesOf(shape)).flatMap(([key, [differs, value]]) => (differs ? [[key, value]] : [])),
    ),
  }
}

/** Every key that {@link writeVitShape} may write. */
export function vitKeys(): readonly string[] {
  const shape = readVitShape({ architecture: 'vit_tiny_patch16_224' })
  return [...Object.keys(writeVitShape(shape)), ...Object.keys(switchesOf(shape))]
}
