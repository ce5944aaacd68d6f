import type { Architecture, ModelFamily } from './architecture.js'
import { blvit } from './blvit.js'
import { type BlvitConfig, type LittleConfig, layerRange } from './blvit-config.js'
import { blvitFacts } from './blvit-facts.js'
import { paperSwitches, readBlvitConfig, writeBlvitConfig } from './blvit-json.js'
import { keptSizes } from './keep-schedule.js'
import { patchCount, picturesAndTokens, type VitConfig } from './vit-config.js'
import { microVit, usualVit, vitArchitecture } from './vit-family.js'
import { vitSizes } from './vit-sizes.js'

/** A big.LITTLE ViT, with its sizes and switches under the names that the code uses. */
export interface BlvitArchitecture extends Architecture {
  readonly family: 'blvit'
  readonly config: BlvitConfig
}

/** True for the architecture of a big.LITTLE ViT. */
export function isBlvit(architecture: Architecture): architecture is BlvitArchitecture {
  return architecture.family === 'blvit'
}

function architecture(config: BlvitConfig): BlvitArchitecture {
  return {
    family: 'blvit',
    config,
    facts: blvitFacts(config),
    json: writeBlvitConfig(config),
    ...picturesAndTokens(config),
    settings: { keepRatio: config.keepRatio },
    keptSizes: (ratio) => keptSizes(ratio, { routing: config, patches: patchCount(config) }),
    takesHooks: false,
    plain: vitArchitecture({ ...config, family: 'vit' }),
    build: (options) => blvit(config, options),
  }
}

type Routing = Partial<Pick<BlvitConfig, 'fullLayers' | 'predictorAfter'>> & {
  little: Pick<LittleConfig, 'width' | 'heads'> & Partial<LittleConfig>
}

/** The paper's form of a pair of P-block (a ViT's sizes) and E-block. */
function pair(big: VitConfig, { little, ...changed }: Routing): Architecture {
  const routing = { ...paperSwitches, ...changed }
  return architecture({
    ...big,
    family: 'blvit',
    ...routing,
    little: {
      mlpRatio: 4,
      attention: true,
      initialisation: 'normal',
      layers: layerRange(routing.fullLayers + 1, big.depth),
      ...little,
    },
  })
}

/** big.LITTLE ViT. Names are P+E; a number as E is its width. */
export const blvitFamily: ModelFamily = {
  name: 'blvit',
  title: 'big.LITTLE ViT',
  saves: {
    about:
      'sends the most important share of the patches through big blocks and all of them through little ones; --keep-ratio says how many',
    paper: 'Guo et al., "big.LITTLE Vision Transformer for Efficient Visual Recognition"',
    example: 'blvit classify photo.jpg --keep-ratio 0.25',
  },
  presets: {
    'b+t': pair(usualVit(vitSizes.base), { little: { width: 192, heads: 3 } }),
    'h+b': pair(usualVit({ ...vitSizes.huge, patchSize: 14 }), {
      fullLayers: 9,
      predictorAfter: [8, 16, 24],
      // every other layer: 10, 12, … 32
      little: { width: 768, heads: 12, layers: layerRange(5, 16).map((half) => 2 * half) },
    }),
    's+96': pair(usualVit(vitSizes.small), { little: { width: 96, heads: 2 } }),
    't+48': pair(usualVit(vitSizes.tiny), { little: { width: 48, heads: 1 } }),
    'micro+16': pair(microVit, { predictorAfter: [1, 3], little: { width: 16, heads: 1 } }),
  },
  read: (json) => (json.model_type === 'blvit' ? architecture(readBlvitConfig(json)) : undefined),
}
