import type { Architecture, ModelFamily } from './architecture.js'
import type { FamilyFacts } from './facts.js'
import { t2tVit } from './t2t.js'
import {
  describesT2t,
  readT2tConfig,
  type T2tConfig,
  t2tSizes,
  usualT2t,
  writeT2tConfig,
} from './t2t-config.js'
import { picturesAndTokens } from './vit-config.js'
import { type PartPatterns, vitFacts, vitParts } from './vit-facts.js'
import { adaVitNames } from './vit-names.js'

const stemParameters = /(^|\.)tokens_to_token\./

const parts: PartPatterns = [
  ['patchEmbedding', /^tokens_to_token\./],
  ...vitParts.filter(([part]) => part !== 'patchEmbedding'),
]

/** The facts of the ViT behind the stem, and of the stem. */
function t2tFacts(config: T2tConfig): FamilyFacts {
  const plain = vitFacts(config, parts)
  return {
    ...plain,
    layerOf: (parameter) => (stemParameters.test(parameter) ? 0 : plain.layerOf(parameter)),
    // official names are ours but for those of AdaViT
    names: [adaVitNames],
  }
}

function architecture(config: T2tConfig): Architecture {
  return {
    family: 't2t',
    facts: t2tFacts(config),
    json: writeT2tConfig(config),
    ...picturesAndTokens(config),
    settings: {},
    takesHooks: true,
    build: (options) => t2tVit(config, options),
  }
}

/** T2T-ViT (Yuan et al. 2021, "Tokens-to-Token ViT: Training Vision Transformers from Scratch on ImageNet", ICCV). */
export const t2tFamily: ModelFamily = {
  name: 't2t',
  title: 'T2T-ViT',
  saves: {
    about:
      'joins neighbouring tokens step by step before its blocks, which then can be narrow; it takes --reduce too',
    paper:
      'Yuan et al., "Tokens-to-Token ViT: Training Vision Transformers from Scratch on ImageNet", ICCV 2021',
    example: 'blvit init t2t-vit-19 -o t2t-19',
  },
  presets: {
    't2t-vit-19': architecture(usualT2t(t2tSizes[19])),
    't2t-vit-t-19': architecture(usualT2t({ ...t2tSizes[19], tokenModule: 'transformer' })),
  },
  read: (json) => (describesT2t(json) ? architecture(readT2tConfig(json)) : undefined),
}
