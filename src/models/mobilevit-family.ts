import { z } from 'zod'
import type { Architecture, ConfigJson, ModelFamily } from './architecture.js'
import { badConfig, checkShared } from './bad-config.js'
import { depth, imageOf, imageSize, ratio, size } from './config-values.js'
import type { FamilyFacts, PartName } from './facts.js'
import { lastMap, type MobileVitConfig, mobileVit, totalStride } from './mobilevit.js'
import { readHuggingFaceMobileVit } from './mobilevit-hugging-face.js'
import { mobileVitNames, mobileVitNorms } from './mobilevit-names.js'
import { readTimmForm } from './timm-form.js'

const transformerKeys = () =>
  z.strictObject({
    embed_dim: size,
    depth,
    num_heads: size,
    mlp_dim: size,
    patch_size: z.tuple([size, size]),
  })

const stageKeys = () =>
  z.strictObject({
    width: size,
    depth: z.int().min(0).max(1_000),
    stride: z.int().min(1).max(8),
    expand_ratio: ratio,
    transformer: transformerKeys().optional(),
  })

/** Our config.json, and what timm's may say of its `mobilevit_…`; each honoured or refused. */
const keys = () => ({
  image_size: imageSize.optional(),
  in_chans: z.union([z.literal(3), z.literal(1)], 'pictures have 3 channels, or 1 (grey)').optional(),
  num_classes: z.int().min(0).max(65_536).optional(),
  stem_width: size,
  stages: z.array(stageKeys()).min(1).max(16),
  final_width: size,
  drop_rate: z.unknown().optional(),
  drop_path_rate: z.unknown().optional(),
  global_pool: z.literal('avg', 'the head reads the mean of the last map ("avg")').optional(),
})

type Keys = z.infer<z.ZodObject<ReturnType<typeof keys>>>

/** Widths of the stages, of their tokens and of the last map; each MLP is twice as wide as its tokens. */
const sizes = {
  xxs: { widths: [16, 24, 48, 64, 80], tokens: [64, 80, 96], final: 320, expansion: 2 },
  xs: { widths: [32, 48, 64, 80, 96], tokens: [96, 120, 144], final: 384, expansion: 4 },
  s: { widths: [32, 64, 96, 128, 160], tokens: [144, 192, 240], final: 640, expansion: 4 },
} as const

/** The paper's form of three sizes: two stages of inverted residuals, three with a transformer of 2, 4 and 3 layers. */
function paperForm({ widths, tokens, final, expansion }: (typeof sizes)[keyof typeof sizes]): ConfigJson {
  return {
    stem_width: 16,
    stages: widths.map((width, index) => {
      const tokenWidth = tokens[index - 2]
      return {
        width,
        depth: index === 1 ? 3 : 1,
        stride: index === 0 ? 1 : 2,
        expand_ratio: expansion,
        ...(tokenWidth !== undefined && {
          transformer: {
            embed_dim: tokenWidth,
            depth: [2, 4, 3][index - 2],
            num_heads: 4,
            mlp_dim: 2 * tokenWidth,
            patch_size: [2, 2],
          },
        }),
      }
    }),
    final_width: final,
  }
}

/** What timm's names `mobilevit_xxs`, `_xs` and `_s` stand for. */
function argumentsOfName(architecture: string): ConfigJson | undefined {
  const [, name = ''] = /^mobilevit_(\w+)$/.exec(architecture) ?? []
  const named = Object.entries(sizes).find(([known]) => known === name)?.[1]
  return named && paperForm(named)
}

function checked(config: MobileVitConfig): MobileVitConfig {
  for (const { transformer } of config.stages) {
    if (transformer) checkShared({ embed_dim: transformer.width }, { num_heads: transformer.heads })
  }
  const [first] = config.stages
  if (first?.transformer && first.depth === 0 && first.width !== config.stemWidth) {
    throw badConfig('the first stage has no block that leads from stem_width to its width')
  }
  for (const [index, { depth: blocks, width, stride }] of config.stages.entries()) {
    const before = config.stages[index - 1]?.width ?? config.stemWidth
    if (blocks === 0 && (width !== before || stride !== 1)) {
      throw badConfig(
        `stage ${index} has no block (depth 0) that changes its width from ${before} to ${width} or has its stride`,
      )
    }
  }
  return config
}

function configOf(given: Keys): MobileVitConfig {
  return checked({
    image: imageOf(given.image_size ?? 256),
    channels: given.in_chans ?? 3,
    stemWidth: given.stem_width,
    stages: given.stages.map(({ width, depth, stride, expand_ratio: expansion, transformer }) => ({
      ...{ width, depth, stride, expansion },
      transformer: transformer && {
        width: transformer.embed_dim,
        depth: transformer.depth,
        heads: transformer.num_heads,
        mlpWidth: transformer.mlp_dim,
        patch: { rows: transformer.patch_size[0], columns: transformer.patch_size[1] },
      },
    })),
    finalWidth: given.final_width,
    classes: given.num_classes ?? 1000,
  })
}

function written({ image, channels, stemWidth, stages, finalWidth, classes }: MobileVitConfig): ConfigJson {
  return {
    model_type: 'mobilevit',
    image_size: image.height === image.width ? image.height : [image.height, image.width],
    in_chans: channels,
    num_classes: classes,
    stem_width: stemWidth,
    stages: stages.map(({ width, depth, stride, expansion, transformer }) => ({
      ...{ width, depth, stride, expand_ratio: expansion },
      ...(transformer && {
        transformer: {
          embed_dim: transformer.width,
          depth: transformer.depth,
          num_heads: transformer.heads,
          mlp_dim: transformer.mlpWidth,
          patch_size: [transformer.patch.rows, transformer.patch.columns],
        },
      }),
    })),
    final_width: finalWidth,
  }
}

const parts: readonly (readonly [PartName, RegExp])[] = [
  ['patchEmbedding', /^stem\./],
  ['blocks', /^(stages|final_conv)\./],
  ['head', /^head\./],
]

/** A layer is a block of any kind, counted through all stages. */
function factsOf(config: MobileVitConfig): FamilyFacts {
  const blocks = config.stages.flatMap(({ depth, transformer }, stage) =>
    Array.from({ length: depth + (transformer ? 1 : 0) }, (_, at) => `stages.${stage}.${at}`),
  )
  return {
    depth: blocks.length,
    width: config.finalWidth,
    classToken: false,
    distilled: false,
    projection: undefined,
    partOf: (name) => parts.find(([, pattern]) => pattern.test(name))?.[0] ?? 'other',
    layerOf: (parameter) => {
      if (/(^|\.)stem\./.test(parameter)) return 0
      const [block] = /stages\.\d+\.\d+(?=\.)/.exec(parameter) ?? []
      return block === undefined ? blocks.length + 1 : blocks.indexOf(block) + 1
    },
    blockScopes: (layer) => ({ block: blocks[layer - 1] ?? '', rows: undefined }),
    isDecayed: ({ shape }) => shape.length > 1,
    heads: ['head.fc'],
    positionEmbedding: undefined,
    batchNorms: mobileVitNorms,
    // 288 pixels, of which 256 stay; values of 0 to 1 as they are
    pictures: { mean: [0, 0, 0], std: [1, 1, 1], cropRatio: 256 / 288, filter: 'bilinear' },
    names: mobileVitNames(config),
    isUnread: () => false,
  }
}

function architecture(config: MobileVitConfig): Architecture {
  const { image, channels, classes } = config
  return {
    family: 'mobilevit',
    facts: factsOf(config),
    json: written(config),
    image,
    imageStep: totalStride(config),
    channels,
    classes,
    patchSize: undefined,
    grid: lastMap(config),
    prefix: 0,
    settings: {},
    takesHooks: false,
    build: () => mobileVit(config),
  }
}

/** A MobileViT from a config.json of our form, timm's or transformers'. @throws BlvitError `BAD_CONFIG` */
export function readMobileVit(json: ConfigJson): MobileVitConfig {
  const isOurs = 'stages' in json || 'architecture' in json
  const form = isOurs ? json : readHuggingFaceMobileVit(json)
  return configOf(readTimmForm(form, { keys, argumentsOfName }))
}

/** MobileViT of Apple, `mobilevit_xxs`, `_xs` and `_s` in timm; MobileViTv2 is another network. */
export const mobileVitFamily: ModelFamily = {
  name: 'mobilevit',
  title: 'MobileViT',
  saves: {
    about: 'convolves, and lets each place of a patch attend only to the same place of the other patches',
    paper:
      'Mehta and Rastegari, "MobileViT: Light-weight, General-purpose, and Mobile-friendly Vision Transformer", ICLR 2022',
    example: 'blvit init mobilevit-xs -o xs',
  },
  presets: {
    'mobilevit-xs': architecture(configOf({ ...(paperForm(sizes.xs) as Keys) })),
  },
  read: (json) => {
    const { model_type: type, architecture: name } = json
    const isOurs = type === undefined ? /^mobilevit_(xxs|xs|s)$/.test(`${name}`) : type === 'mobilevit'
    return isOurs ? architecture(readMobileVit(json)) : undefined
  },
}
