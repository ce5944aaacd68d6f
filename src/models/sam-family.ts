import type { Architecture, ModelFamily } from './architecture.js'
import { type LittleConfig, layerRange } from './blvit-config.js'
import type { FamilyFacts } from './facts.js'
import type { MaskFrame } from './masks/mask-frame.js'
import { sam } from './sam.js'
import { type SamConfig, samGrid, samWindows } from './sam-config.js'
import { readSamConfig, writeSamConfig } from './sam-json.js'
import { huggingFaceSam } from './sam-names.js'
import type { PartPatterns } from './vit-facts.js'

/** What pictures see of a model, with its sizes under the names that the code uses. */
export interface SamArchitecture extends Architecture {
  readonly family: 'sam'
  readonly config: SamConfig
}

const parts: PartPatterns = [
  ['predictors', /^image_encoder\.predictors\./],
  ['littleBlocks', /^image_encoder\.blocks\.\d+\.little\./],
  ['gates', /^image_encoder\.blocks\.\d+\.(alpha|gamma)[12]$/],
  ['patchEmbedding', /^image_encoder\.patch_embed\./],
  ['tokens', /^image_encoder\.pos_embed$/],
  ['blocks', /^image_encoder\.blocks\./],
  ['head', /^(image_encoder\.neck|prompt_encoder|mask_decoder)\./],
]

function frameOf(config: SamConfig): MaskFrame {
  const { side, width } = config
  const { rows, columns } = samGrid(config)
  return {
    height: side,
    width: side,
    embedding: [width, rows, columns],
    maskRows: 4 * rows,
    maskColumns: 4 * columns,
    fit: 'pad',
    upscaling: 'bilinear',
    // ImageNet's statistics
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
    takesMasks: true,
    takesNegativePoints: true,
    points: undefined,
  }
}

function factsOf(config: SamConfig): FamilyFacts {
  const { encoder } = config
  const { depth, width } = encoder
  return {
    ...{ depth, width, classToken: false, distilled: false, projection: undefined },
    partOf: (name) => parts.find(([, pattern]) => pattern.test(name))?.[0] ?? 'other',
    layerOf: (parameter) => {
      if (/^image_encoder\.(pos_embed|patch_embed\.)/.test(parameter)) return 0
      const [, block] = /^image_encoder\.blocks\.(\d+)\./.exec(parameter) ?? []
      return block === undefined ? depth + 1 : Number(block) + 1
    },
    blockScopes: (layer) => ({
      block: `image_encoder.blocks.${layer - 1}`,
      rows: `image_encoder.blocks.${layer - 1}.mlp.lin1`,
    }),
    isDecayed: ({ name, shape }) =>
      shape.length > 1 &&
      !/(pos_embed|rel_pos_[hw]|_embed\.weight|point_embeddings\.\d\.weight|_tokens?\.weight)$/.test(name),
    heads: [],
    positionEmbedding: undefined,
    masks: frameOf(config),
    names: [huggingFaceSam(config)],
    isUnread: () => false,
  }
}

/** A picture, and a click in it with the point that is none which stands beside it. */
const oneClick = { programs: ['encode', 'decode'], sizes: { prompts: 1, points: 2 } }

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
    usualRun: oneClick,
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
