import type { BlvitConfig } from './blvit-config.js'
import type { FamilyFacts } from './facts.js'
import { type PartPatterns, vitFacts, vitParts } from './vit-facts.js'

const parts: PartPatterns = [
  ['littleBlocks', /^blocks\.\d+\.little\./],
  ['gates', /^blocks\.\d+\.(alpha|gamma)[12]$/],
  ['predictors', /^predictors\./],
  ...vitParts,
]

/** The facts of a big.LITTLE ViT: those of the ViT that it stands on, and of what it adds. */
export function blvitFacts(config: BlvitConfig): FamilyFacts {
  const plain = vitFacts(config, parts)
  return {
    ...plain,
    // an E-block's norm as the P-block's
    imitationStart: (parameter) =>
      /^blocks\.\d+\.little\.norm[12]\./.test(parameter) ? parameter.replace('little.', '') : undefined,
    // a predictor learns as the layer that it stands behind
    layerOf: (parameter) => {
      const [, index] = /(?:^|\.)predictors\.(\d+)\./.exec(parameter) ?? []
      const layer = index === undefined ? undefined : config.predictorAfter[Number(index)]
      return layer ?? plain.layerOf(parameter)
    },
  }
}
