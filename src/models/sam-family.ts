import type { Architecture, ModelFamily } from './architecture.js'
import { type LittleConfig, layerRange } from './blvit-config.js'
import type { FamilyFacts } from './facts.js'
import { samFrame } from './masks/mask-frame.js'
import { encoderFacts, oneClick } from './masks/model-facts.js'
import { sam } from './sam.js'
import { type SamConfig, samGrid, samWindows } from './sam-config.js'
import { readSamConfig, writeSamConfig } from './sam-json.js'
import { huggingFaceSam } from './sam-names.js'

/** What pictures see of a model, with its sizes under the names that the code uses. */
export interface SamArchitecture extends Architecture {
  readonly family: 'sam'
  readonly config: SamConfig
}

function factsOf(config: SamConfig): FamilyFacts {
  return {
    ...encoderFacts(config.encoder, { mlp: 'mlp.lin1' }),
    masks: samFrame({ ...config, grid: samGrid(config) }),
    names: [huggingFaceSam(config)],
    isUnread: () => false,
  }
}

/** The architecture of a Segment Anything model. */
function samArchitecture(config: SamConfig): SamArchitecture {
  const { side, patchSize } = config
  return {
    config,
    facts: factsOf(config),
    family: 'sam',
    json: writeSamConfig(config),
    image: { height: side, width: side },
    imageStep: patchSize,
    channels: 3,
    classes: 0,
    patchSize,
    grid: samGrid(config),
    prefix: 0,
    settings: config.routing ? { keepRatio: config.routing.keepRatio } : {},
    // a click has a point that is none beside it
    usualRun: oneClick({ points: 2 }),
    ...(config.routing && { plain: samArchitecture({ ...config, routing: undefined }) }),
    takesHooks: config.routing === undefined,
    windows: samWindows(config),
    build: (options) => sam(config, options),
  }
}

/** The paper's models, which differ in their encoders alone. */
function usualSam(
  encoder: Pick<SamConfig['encoder'], 'width' | 'depth' | 'heads' | 'globalBlocks'>,
): SamConfig {
  return {
    family: 'sam',
    quota: 'proportional',
    side: 1024,
    patchSize: 16,
    encoder: {
      kind: 'windowed-vit',
      ...encoder,
      mlpWidth: 4 * encoder.width,
      qkvBias: true,
      window: 14,
      layerNormEpsilon: 1e-6,
    },
    width: 256,
    maskChannels: 16,
    decoder: {
      ...{ depth: 2, heads: 8, mlpWidth: 2048, downsample: 2, layerNormEpsilon: 1e-5 },
      ...{ masks: 3, iouDepth: 3, iouWidth: 256 },
    },
  }
}

const samB = usualSam({ width: 768, depth: 12, heads: 12, globalBlocks: [2, 5, 8, 11] })
const samH = usualSam({ width: 1280, depth: 32, heads: 16, globalBlocks: [7, 15, 23, 31] })

/** B+T of the bLViT paper, §4.2: an E-block beside every P-block but the first. */
const samBT: SamConfig = {
  ...samB,
  routing: {
    ...{ fullLayers: 1, predictorAfter: [1, 4, 7, 10], keepRatio: 0.25 },
    little: littleOf({ width: 192, heads: 3, layers: layerRange(2, 12) }),
  },
}

/** H+B: from the tenth layer on, an E-block in every other one. */
const samHB: SamConfig = {
  ...samH,
  routing: {
    ...{ fullLayers: 9, predictorAfter: [8, 16, 24], keepRatio: 0.25 },
    little: littleOf({
      width: 768,
      heads: 12,
      layers: layerRange(10, 32).filter((layer) => layer % 2 === 0),
    }),
  },
}

function littleOf(sizes: Pick<LittleConfig, 'width' | 'heads' | 'layers'>): LittleConfig {
  return { ...sizes, mlpRatio: 4, attention: true, initialisation: 'normal' }
}

/** Small enough to train and test in seconds: pictures of 128 pixels, masks of 32. */
export const microSam: SamConfig = {
  family: 'sam',
  quota: 'proportional',
  side: 128,
  patchSize: 16,
  encoder: {
    kind: 'windowed-vit',
    ...{ width: 48, depth: 4, heads: 3, mlpWidth: 192, qkvBias: true },
    ...{ window: 3, globalBlocks: [1, 3], layerNormEpsilon: 1e-6 },
  },
  width: 32,
  maskChannels: 16,
  decoder: {
    ...{ depth: 2, heads: 4, mlpWidth: 64, downsample: 2, layerNormEpsilon: 1e-5 },
    ...{ masks: 3, iouDepth: 3, iouWidth: 24 },
  },
}

/** Segment Anything of Meta: `sam_vit_b`, `sam_vit_l` and `sam_vit_h`. */
export const samFamily: ModelFamily = {
  name: 'sam',
  title: 'Segment Anything',
  switches: ['routing', 'quota'],
  presets: {
    'sam-b': samArchitecture(samB),
    'sam-l': samArchitecture(usualSam({ width: 1024, depth: 24, heads: 16, globalBlocks: [5, 11, 17, 23] })),
    'sam-h': samArchitecture(samH),
    'sam-b+t': samArchitecture(samBT),
    'sam-h+b': samArchitecture(samHB),
    'sam-micro': samArchitecture(microSam),
  },
  read: (json) => (json.model_type === 'sam' ? samArchitecture(readSamConfig(json)) : undefined),
}
