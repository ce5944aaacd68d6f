import type { Architecture, ModelFamily } from './architecture.js'
import type { BatchNorm } from './batch-norm.js'
import type { FamilyFacts, PartName } from './facts.js'
import { samFrame } from './masks/mask-frame.js'
import { oneClick } from './masks/model-facts.js'
import { type MobileSamConfig, mobileSam } from './mobile-sam.js'
import { readMobileSamConfig, writeMobileSamConfig } from './mobile-sam-json.js'
import { samGrid } from './sam-config.js'

const parts: readonly (readonly [PartName, RegExp])[] = [
  ['patchEmbedding', /^image_encoder\.patch_embed\./],
  ['blocks', /^image_encoder\.layers\./],
  ['head', /^(image_encoder\.neck|prompt_encoder|mask_decoder)\./],
]

/** Every convolution before the neck has one behind it. */
const batchNorms: readonly BatchNorm[] = [{ norm: '{x}.bn', map: '{x}.c', stands: 'after', epsilon: 1e-5 }]

/** Blocks are counted through all stages; what leads to a stage belongs to the last block before it. */
function factsOf(config: MobileSamConfig): FamilyFacts {
  const { first, stages } = config.encoder
  const depths = [first.depth, ...stages.map(({ depth }) => depth)]
  const before = (stage: number) => depths.slice(0, stage).reduce((sum, depth) => sum + depth, 0)
  const blocks = depths.flatMap((depth, stage) =>
    Array.from({ length: depth }, (_, at) => `image_encoder.layers.${stage}.blocks.${at}`),
  )
  return {
    depth: blocks.length,
    width: stages.at(-1)?.width ?? 0,
    ...{ classToken: false, distilled: false, projection: undefined },
    partOf: (name) => parts.find(([, pattern]) => pattern.test(name))?.[0] ?? 'other',
    layerOf: (parameter) => {
      if (/^image_encoder\.patch_embed\./.test(parameter)) return 0
      const [, stage, at] = /^image_encoder\.layers\.(\d+)\.(?:blocks\.(\d+))?/.exec(parameter) ?? []
      if (stage === undefined) return blocks.length + 1
      return at === undefined ? before(Number(stage) + 1) : before(Number(stage)) + Number(at) + 1
    },
    blockScopes: (layer) => ({ block: blocks[layer - 1] ?? '', rows: undefined }),
    isDecayed: ({ name, shape }) =>
      shape.length > 1 &&
      !/(attention_biases|_embed\.weight|point_embeddings\.\d\.weight|_tokens?\.weight)$/.test(name),
    heads: [],
    positionEmbedding: undefined,
    batchNorms,
    masks: samFrame({ ...config, grid: samGrid(config) }),
    // the official file has the names that are used here
    names: [],
    // of the classifier that TinyViT was trained with, and of what follows from the sizes
    isUnread: (parameter) =>
      /^image_encoder\.(norm_head|head)\./.test(parameter) || parameter.endsWith('.attention_bias_idxs'),
  }
}

function mobileSamArchitecture(config: MobileSamConfig): Architecture {
  const { side, patchSize } = config
  return {
    facts: factsOf(config),
    family: config.family,
    json: writeMobileSamConfig(config),
    image: { height: side, width: side },
    imageStep: patchSize,
    channels: 3,
    classes: 0,
    // it has maps, and no tokens that could go
    patchSize: undefined,
    grid: samGrid(config),
    prefix: 0,
    settings: {},
    usualRun: oneClick({ points: 2 }),
    takesHooks: false,
    build: (options) => mobileSam(config, options),
  }
}

/** MobileSAM: SAM with a TinyViT of 5 million parameters for its encoder. */
export const mobileSamFamily: ModelFamily = {
  name: 'mobile-sam',
  title: 'MobileSAM',
  presets: {
    'mobile-sam': mobileSamArchitecture(
      readMobileSamConfig({ mask_decoder_config: { layer_norm_eps: 1e-5 } }),
    ),
  },
  read: (json) =>
    json.model_type === 'mobile_sam' ? mobileSamArchitecture(readMobileSamConfig(json)) : undefined,
}
