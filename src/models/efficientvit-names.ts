import type { BatchNorm } from './batch-norm.js'
import type { EfficientVitConfig } from './efficientvit.js'
import type { NameMap, NameRule } from './name-map.js'

/** Modules whose maps are called `c` there and `conv` in timm. */
function moduleRules(theirs: string, ours: string): readonly NameRule[] {
  return [
    // old checkpoints hold maps of one pixel as matrices
    { ours: `${ours}.{x}.conv.weight`, theirs: `${theirs}.{x}.c.weight`, kernelAxes: true },
    { ours: `${ours}.{x}.conv.bias`, theirs: `${theirs}.{x}.c.bias` },
    { ours: `${ours}.{x}`, theirs: `${theirs}.{x}` },
  ]
}

/** The official code counts a stage's three steps of down-sampling among its blocks. */
const downsampling = ['res1', 'patchmerge', 'res2']

/** The names of the official code (microsoft/Cream, EfficientViT/classification). */
export function officialNames({ stages }: Pick<EfficientVitConfig, 'stages'>): NameMap {
  const rules = stages.flatMap(({ depth }, stage) => {
    const theirs = `blocks${stage + 1}`
    const first = stage === 0 ? [] : downsampling
    return [
      ...first.flatMap((step, at) => moduleRules(`${theirs}.${at}`, `stages.${stage}.downsample.${step}`)),
      ...Array.from({ length: depth }, (_, at) =>
        moduleRules(`${theirs}.${first.length + at}`, `stages.${stage}.blocks.${at}`),
      ).flat(),
    ]
  })
  const patchEmbedding = [0, 1, 2, 3].flatMap((at): readonly NameRule[] => [
    { ours: `patch_embed.conv${at + 1}.conv.{p}`, theirs: `patch_embed.${2 * at}.c.{p}` },
    { ours: `patch_embed.conv${at + 1}.{x}`, theirs: `patch_embed.${2 * at}.{x}` },
  ])
  const heads = ['head', 'head_dist'].map(
    (head): NameRule => ({ ours: `${head}.linear.{p}`, theirs: `${head}.l.{p}` }),
  )
  return {
    dialect: 'efficientvit',
    detect: (names) => names.includes('patch_embed.0.c.weight'),
    rules: [...patchEmbedding, ...rules.flat(), ...heads],
    prefixes: [],
    ignored: /(^|\.)(attention_bias_idxs|num_batches_tracked)$/,
  }
}

/** Every convolution has one behind it, every head one before it. */
export const efficientVitNorms: readonly BatchNorm[] = [
  ...['head', 'head_dist'].map(
    (head): BatchNorm => ({ norm: `${head}.bn`, map: `${head}.linear`, stands: 'before', epsilon: 1e-5 }),
  ),
  { norm: '{x}.bn', map: '{x}.conv', stands: 'after', epsilon: 1e-5 },
]
