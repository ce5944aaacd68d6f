import { z } from 'zod'
import type { Architecture, ConfigJson, ModelFamily } from './architecture.js'
import { badConfig, checkShared } from './bad-config.js'
import { depth, imageSize, size } from './config-values.js'
import {
  type EfficientVitConfig,
  type EfficientVitStage,
  efficientVit,
  firstStride,
  stageSides,
  windowSide,
} from './efficientvit.js'
import { efficientVitNorms, officialNames } from './efficientvit-names.js'
import type { FamilyFacts, PartName } from './facts.js'
import { readTimmForm } from './timm-form.js'

const perStage = (value: z.ZodType<number>) => z.array(value).min(1).max(16)

/** Arguments of timm's `EfficientVitMsra`, and our own config.json; each honoured or refused. */
const keys = () => ({
  image_size: imageSize.optional(),
  in_chans: z.union([z.literal(3), z.literal(1)], 'pictures have 3 channels, or 1 (grey)').optional(),
  num_classes: z.int().min(0).max(65_536).optional(),
  patch_size: z.literal(firstStride, `the patch embedding makes ${firstStride} of it`).optional(),
  embed_dim: perStage(size),
  key_dim: perStage(size).optional(),
  depth: perStage(depth),
  num_heads: perStage(size),
  window_size: perStage(size),
  kernels: z
    .array(
      z
        .int()
        .min(1)
        .max(255)
        .refine((side) => side % 2 === 1, 'kernels must be odd'),
    )
    .min(1),
  distilled: z.boolean().optional(),
  drop_rate: z.unknown().optional(),
  global_pool: z.literal('avg', 'the head reads the mean of the last map ("avg")').optional(),
})

type Keys = z.infer<z.ZodObject<ReturnType<typeof keys>>>

/** Sizes of the paper's models, under the names of timm's arguments. */
const sizes = {
  m0: { embed_dim: [64, 128, 192], depth: [1, 2, 3], num_heads: [4, 4, 4], kernels: [5, 5, 5, 5] },
  m1: { embed_dim: [128, 144, 192], depth: [1, 2, 3], num_heads: [2, 3, 3], kernels: [7, 5, 3, 3] },
  m2: { embed_dim: [128, 192, 224], depth: [1, 2, 3], num_heads: [4, 3, 2], kernels: [7, 5, 3, 3] },
  m3: { embed_dim: [128, 240, 320], depth: [1, 2, 3], num_heads: [4, 3, 4], kernels: [5, 5, 5, 5] },
  m4: { embed_dim: [128, 256, 384], depth: [1, 2, 3], num_heads: [4, 4, 4], kernels: [7, 5, 3, 3] },
  m5: { embed_dim: [192, 288, 384], depth: [1, 3, 4], num_heads: [3, 3, 4], kernels: [7, 5, 3, 3] },
} as const

const usualKeyWidth = 16
const usualWindows = [7, 7, 7]

/** What timm's names `efficientvit_m0` … `efficientvit_m5` stand for. */
function argumentsOfName(architecture: string): ConfigJson | undefined {
  const [, name = ''] = /^efficientvit_(m\d)$/.exec(architecture) ?? []
  const named = Object.entries(sizes).find(([known]) => known === name)?.[1]
  return named && { ...named, window_size: usualWindows }
}

function stagesOf(given: Keys): readonly EfficientVitStage[] {
  const { embed_dim: widths, depth: depths, num_heads: heads, window_size: windows } = given
  const keyWidths = given.key_dim ?? widths.map(() => usualKeyWidth)
  const lists = {
    embed_dim: widths,
    key_dim: keyWidths,
    depth: depths,
    num_heads: heads,
    window_size: windows,
  }
  for (const [key, list] of Object.entries(lists)) {
    if (list.length !== widths.length) {
      throw badConfig(
        `${key} has ${list.length} values, but embed_dim says that there are ${widths.length} stages`,
      )
    }
  }
  return widths.map((width, stage) => ({
    width,
    depth: depths[stage] ?? 0,
    heads: heads[stage] ?? 0,
    keyWidth: keyWidths[stage] ?? 0,
    window: windows[stage] ?? 0,
  }))
}

function checked(config: EfficientVitConfig): EfficientVitConfig {
  const { side, stages, kernels } = config
  if (side % firstStride !== 0) {
    throw badConfig(
      `image_size ${side} is not a multiple of ${firstStride}, which is a place of the first map`,
    )
  }
  for (const { width, heads } of stages) {
    checkShared({ embed_dim: width }, { num_heads: heads })
    if (heads > kernels.length)
      throw badConfig(`num_heads is ${heads}, but kernels has only ${kernels.length} values`)
  }
  if ((stages[0]?.width ?? 0) < 8)
    throw badConfig('the first embed_dim must be at least 8: the patch embedding starts with an eighth')
  return config
}

function configOf(given: Keys): EfficientVitConfig {
  const { image_size: image = 224 } = given
  const [height, width] = typeof image === 'number' ? [image, image] : image
  if (height !== width) throw badConfig(`image_size ${height}×${width} is no square, which its windows need`)
  return checked({
    side: height,
    channels: given.in_chans ?? 3,
    stages: stagesOf(given),
    kernels: given.kernels,
    classes: given.num_classes ?? 1000,
    distilled: given.distilled ?? false,
  })
}

function written({ side, channels, stages, kernels, classes, distilled }: EfficientVitConfig): ConfigJson {
  return {
    model_type: 'efficientvit',
    image_size: side,
    in_chans: channels,
    num_classes: classes,
    embed_dim: stages.map(({ width }) => width),
    key_dim: stages.map(({ keyWidth }) => keyWidth),
    depth: stages.map(({ depth }) => depth),
    num_heads: stages.map(({ heads }) => heads),
    window_size: stages.map(({ window }) => window),
    kernels,
    distilled,
  }
}

const parts: readonly (readonly [PartName, RegExp])[] = [
  ['patchEmbedding', /^patch_embed\./],
  ['blocks', /^stages\./],
  ['head', /^head(_dist)?\./],
]

/** Blocks are counted through all stages; what leads to a stage belongs to its first block. */
function factsOf(config: EfficientVitConfig): FamilyFacts {
  const { stages, distilled } = config
  const firstOf = (stage: number) => 1 + stages.slice(0, stage).reduce((sum, { depth }) => sum + depth, 0)
  const blocks = stages.flatMap(({ depth }, stage) =>
    Array.from({ length: depth }, (_, at) => `stages.${stage}.blocks.${at}`),
  )
  return {
    depth: blocks.length,
    width: stages.at(-1)?.width ?? 0,
    classToken: false,
    distilled: false,
    projection: undefined,
    partOf: (name) => parts.find(([, pattern]) => pattern.test(name))?.[0] ?? 'other',
    layerOf: (parameter) => {
      if (/(^|\.)patch_embed\./.test(parameter)) return 0
      const [, stage, at = 0] = /(?:^|\.)stages\.(\d+)\.(?:blocks\.(\d+))?/.exec(parameter) ?? []
      return stage === undefined ? blocks.length + 1 : firstOf(Number(stage)) + Number(at)
    },
    blockScopes: (layer) => ({ block: blocks[layer - 1] ?? '', rows: undefined }),
    isDecayed: ({ name, shape }) => shape.length > 1 && !name.endsWith('attention_biases'),
    heads: distilled ? ['head.linear', 'head_dist.linear'] : ['head.linear'],
    positionEmbedding: undefined,
    attentionBiases: stages.flatMap(({ depth }, stage) =>
      Array.from({ length: depth }, (_, at) => ({
        parameter: `stages.${stage}.blocks.${at}.mixer.m.attn.attention_biases`,
        side: windowSide(config, stage),
      })),
    ),
    batchNorms: efficientVitNorms,
    // ImageNet's statistics
    pictures: {
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      cropRatio: 0.875,
      filter: 'bicubic',
    },
    names: [officialNames(config)],
    // timm stored what follows from the sizes
    isUnread: (parameter) => parameter.endsWith('.attention_bias_idxs'),
  }
}

function architecture(config: EfficientVitConfig): Architecture {
  const { side, channels, classes } = config
  const last = stageSides(config).at(-1) ?? 0
  return {
    family: 'efficientvit',
    facts: factsOf(config),
    json: written(config),
    image: { height: side, width: side },
    imageStep: firstStride,
    channels,
    classes,
    patchSize: undefined,
    grid: { rows: last, columns: last },
    prefix: 0,
    settings: {},
    takesHooks: false,
    build: () => efficientVit(config),
  }
}

/** An EfficientViT from a config.json of timm's form or ours. @throws BlvitError `BAD_CONFIG` */
export function readEfficientVit(json: ConfigJson): EfficientVitConfig {
  return configOf(readTimmForm(json, { keys, argumentsOfName }))
}

const m5 = configOf({ ...(argumentsOfName('efficientvit_m5') as Keys) })

/** EfficientViT of Microsoft (Cream), `efficientvit_m0` … `m5` in timm; timm's `efficientvit_b0` … are another network. */
export const efficientVitFamily: ModelFamily = {
  name: 'efficientvit',
  title: 'EfficientViT',
  saves: {
    about:
      'convolves between few layers of attention, whose heads each see a part of the channels, one after the other',
    paper:
      'Liu et al., "EfficientViT: Memory Efficient Vision Transformer with Cascaded Group Attention", CVPR 2023',
    example: 'blvit init efficientvit-m5 -o m5',
  },
  presets: {
    'efficientvit-m5': architecture(m5),
    // windows of the last map's size, as the paper's cost at 384 pixels has them
    'efficientvit-m5-512': architecture({
      ...m5,
      side: 512,
      stages: m5.stages.map((stage) => ({ ...stage, window: 16 })),
    }),
  },
  read: (json) => {
    const { model_type: type, architecture: name } = json
    const isOurs = type === undefined ? /^efficientvit_m\d$/.test(`${name}`) : type === 'efficientvit'
    return isOurs ? architecture(readEfficientVit(json)) : undefined
  },
}
