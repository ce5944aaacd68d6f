import type { Architecture, ConfigJson, ModelFamily } from './architecture.js'
import { huggingFaceTypes } from './hugging-face-config.js'
import { vit } from './vit.js'
import { picturesAndTokens, usualSwitches, type VitConfig } from './vit-config.js'
import { vitFacts } from './vit-facts.js'
import { readVitShape, vitKeys, writeVitShape } from './vit-json.js'
import { vitSizes } from './vit-sizes.js'

/** A plain ViT, with its sizes under the names that the code uses. */
export interface VitArchitecture extends Architecture {
  readonly family: 'vit'
  readonly config: VitConfig
}

/** True for the architecture of a plain ViT or DeiT. */
export function isVit(architecture: Architecture): architecture is VitArchitecture {
  return architecture.family === 'vit'
}

/** The architecture of a plain ViT. */
export function vitArchitecture(config: VitConfig): VitArchitecture {
  return {
    config,
    facts: vitFacts(config),
    family: 'vit',
    json: { model_type: 'vit', ...writeVitShape(config) },
    ...picturesAndTokens(config),
    settings: {},
    takesHooks: true,
    build: (options) => vit(config, options),
  }
}

/** A ViT of timm's usual form at 224 pixels with 1000 classes, but for what is given. */
export function usualVit(
  sizes: Pick<VitConfig, 'width' | 'depth' | 'heads'> & Partial<VitConfig>,
): VitConfig {
  return {
    ...usualSwitches({ distilled: sizes.distilled ?? false }),
    family: 'vit',
    image: { height: 224, width: 224 },
    patchSize: 16,
    channels: 3,
    mlpRatio: 4,
    classes: 1000,
    layerNormEpsilon: 1e-6,
    distilled: false,
    ...sizes,
  }
}

/** Small enough to train and test in seconds: 32-pixel pictures of 10 classes. */
export const microVit = usualVit({
  width: 64,
  depth: 4,
  heads: 4,
  image: { height: 32, width: 32 },
  patchSize: 4,
  classes: 10,
})

/** Hugging Face's types, timm's names of ViTs, and ours. */
function describesVit({ model_type: type, architecture: name }: ConfigJson): boolean {
  return type === undefined
    ? typeof name === 'string' && /^(vit|deit|deit3|eva|flexivit|beit3|aimv2)_/.test(name)
    : type === 'vit' || huggingFaceTypes.includes(`${type}`)
}

/** Plain ViT and DeiT. */
export const vitFamily: ModelFamily = {
  name: 'vit',
  title: 'plain ViT',
  get switches() {
    return vitKeys()
  },
  presets: {
    'vit-tiny': vitArchitecture(usualVit(vitSizes.tiny)),
    'vit-small': vitArchitecture(usualVit(vitSizes.small)),
    'vit-base': vitArchitecture(usualVit(vitSizes.base)),
    'vit-large': vitArchitecture(usualVit(vitSizes.large)),
    'vit-huge': vitArchitecture(usualVit({ ...vitSizes.huge, patchSize: 14 })),
    'vit-micro': vitArchitecture(microVit),
    'deit-tiny-distilled': vitArchitecture(usualVit({ ...vitSizes.tiny, distilled: true })),
    'deit-small-distilled': vitArchitecture(usualVit({ ...vitSizes.small, distilled: true })),
    'deit-base-distilled': vitArchitecture(usualVit({ ...vitSizes.base, distilled: true })),
  },
  read: (json) =>
    describesVit(json) ? vitArchitecture({ family: 'vit', ...readVitShape(json) }) : undefined,
}
