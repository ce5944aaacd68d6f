import type { Architecture, ModelFamily } from './architecture.js'
import { type EfficientSamConfig, efficientSam, efficientSamGrid } from './efficient-sam.js'
import { readEfficientSamConfig, writeEfficientSamConfig } from './efficient-sam-json.js'
import type { FamilyFacts } from './facts.js'
import { efficientSamFrame } from './masks/mask-frame.js'
import { encoderFacts, oneClick } from './masks/model-facts.js'

function factsOf(config: EfficientSamConfig): FamilyFacts {
  const { encoder, points } = config
  return {
    ...encoderFacts(encoder, { mlp: 'mlp.fc1' }),
    masks: efficientSamFrame({ ...config, grid: efficientSamGrid(config), points }),
    // the official files have the names that are used here
    names: [],
    isUnread: () => false,
  }
}

function efficientSamArchitecture(config: EfficientSamConfig): Architecture {
  const { side, patchSize, points } = config
  return {
    facts: factsOf(config),
    family: config.family,
    json: writeEfficientSamConfig(config),
    image: { height: side, width: side },
    imageStep: patchSize,
    channels: 3,
    classes: 0,
    patchSize,
    grid: efficientSamGrid(config),
    prefix: 0,
    settings: {},
    usualRun: oneClick({ points }),
    takesHooks: false,
    build: (options) => efficientSam(config, options),
  }
}

/** The official models, which differ in their encoders alone. */
function usualEfficientSam({ width, heads }: { width: number; heads: number }): EfficientSamConfig {
  return {
    ...{ family: 'efficient-sam', side: 1024, patchSize: 16, width: 256, points: 6 },
    encoder: {
      ...{ width, heads, depth: 12, mlpWidth: 4 * width },
      ...{ pretrainedSide: 224, layerNormEpsilon: 1e-6 },
    },
    decoder: {
      ...{ depth: 2, heads: 8, mlpWidth: 2048, downsample: 2 },
      ...{ masks: 3, iouDepth: 2, iouWidth: 256, upscaling: [64, 32] },
    },
  }
}

/** EfficientSAM of Meta: `efficient_sam_vitt` and `efficient_sam_vits`. */
export const efficientSamFamily: ModelFamily = {
  name: 'efficient-sam',
  title: 'EfficientSAM',
  presets: {
    'efficient-sam-ti': efficientSamArchitecture(usualEfficientSam({ width: 192, heads: 3 })),
    'efficient-sam-s': efficientSamArchitecture(usualEfficientSam({ width: 384, heads: 6 })),
  },
  read: (json) =>
    json.model_type === 'efficient_sam' ? efficientSamArchitecture(readEfficientSamConfig(json)) : undefined,
}
