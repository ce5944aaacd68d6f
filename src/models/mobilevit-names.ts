import type { BatchNorm } from './batch-norm.js'
import type { MobileVitConfig, MobileVitStage } from './mobilevit.js'
import type { NameMap, NameRule } from './name-map.js'

/** How another library calls the modules that timm calls otherwise. */
interface Vocabulary {
  readonly stem: string
  readonly finalConvolution: string
  readonly head: string
  /** The map and the norm behind it, under a module. */
  readonly conv: string
  readonly norm: string
  /** Of a stage, its number from 0. */
  block(stage: number, at: number, of: MobileVitStage): string
  readonly inverted: readonly [string, string, string]
  /** Of a stage's MobileViT block: where its own parts stand. */
  mobileVit(stage: number, of: MobileVitStage): string
  readonly parts: Readonly<Record<'conv_kxk' | 'conv_1x1' | 'conv_proj' | 'conv_fusion', string>>
  /** The parts of a transformer's layer, under the MobileViT block. */
  layer(at: number): Readonly<Record<'norm1' | 'norm2' | 'proj' | 'fc1' | 'fc2', string>> & {
    readonly qkv: string | readonly string[]
  }
  /** The norm after the last layer, under the MobileViT block. */
  lastNorm(depth: number): string
}

function dialectRules({ stages }: Pick<MobileVitConfig, 'stages'>, words: Vocabulary): readonly NameRule[] {
  const module = (theirs: string, ours: string): readonly NameRule[] => [
    { ours: `${ours}.conv.{p}`, theirs: `${theirs}.${words.conv}.{p}` },
    { ours: `${ours}.bn.{x}`, theirs: `${theirs}.${words.norm}.{x}` },
  ]
  const inverted = ['conv1_1x1', 'conv2_kxk', 'conv3_1x1']
  const ofStage = (stage: MobileVitStage, index: number): readonly NameRule[] => {
    const blocks = Array.from({ length: stage.depth }, (_, at) =>
      inverted.flatMap((name, part) =>
        module(`${words.block(index, at, stage)}.${words.inverted[part]}`, `stages.${index}.${at}.${name}`),
      ),
    ).flat()
    if (!stage.transformer) return blocks
    const [theirs, ours] = [words.mobileVit(index, stage), `stages.${index}.${stage.depth}`]
    const { conv_1x1: plain, ...normed } = words.parts
    const layers = Array.from({ length: stage.transformer.depth }, (_, at): readonly NameRule[] => {
      const { qkv, norm1, norm2, proj, fc1, fc2 } = words.layer(at)
      const layer = `${ours}.transformer.${at}`
      const whole = (name: string) => `${theirs}.${name}.{p}`
      return [
        { ours: `${layer}.attn.qkv.{p}`, theirs: typeof qkv === 'string' ? whole(qkv) : qkv.map(whole) },
        { ours: `${layer}.attn.proj.{p}`, theirs: whole(proj) },
        { ours: `${layer}.norm1.{p}`, theirs: whole(norm1) },
        { ours: `${layer}.norm2.{p}`, theirs: whole(norm2) },
        { ours: `${layer}.mlp.fc1.{p}`, theirs: whole(fc1) },
        { ours: `${layer}.mlp.fc2.{p}`, theirs: whole(fc2) },
      ]
    }).flat()
    return [
      ...blocks,
      ...Object.entries(normed).flatMap(([name, part]) => module(`${theirs}.${part}`, `${ours}.${name}`)),
      { ours: `${ours}.conv_1x1.{p}`, theirs: `${theirs}.${plain}.${words.conv}.{p}` },
      ...layers,
      { ours: `${ours}.norm.{p}`, theirs: `${theirs}.${words.lastNorm(stage.transformer.depth)}.{p}` },
    ]
  }
  return [
    ...module(words.stem, 'stem'),
    ...stages.flatMap(ofStage),
    ...module(words.finalConvolution, 'final_conv'),
    { ours: 'head.fc.{p}', theirs: `${words.head}.{p}` },
  ]
}

/** The official code, apple/ml-cvnets. */
const official: Vocabulary = {
  stem: 'conv_1',
  finalConvolution: 'conv_1x1_exp',
  head: 'classifier.fc',
  conv: 'block.conv',
  norm: 'block.norm',
  block: (stage, at) => `layer_${stage + 1}.${at}.block`,
  inverted: ['exp_1x1', 'conv_3x3', 'red_1x1'],
  mobileVit: (stage, { depth }) => `layer_${stage + 1}.${depth}`,
  parts: {
    conv_kxk: 'local_rep.conv_3x3',
    conv_1x1: 'local_rep.conv_1x1',
    conv_proj: 'conv_proj',
    conv_fusion: 'fusion',
  },
  layer: (at) => ({
    norm1: `global_rep.${at}.pre_norm_mha.0`,
    qkv: `global_rep.${at}.pre_norm_mha.1.qkv_proj`,
    proj: `global_rep.${at}.pre_norm_mha.1.out_proj`,
    norm2: `global_rep.${at}.pre_norm_ffn.0`,
    fc1: `global_rep.${at}.pre_norm_ffn.1`,
    fc2: `global_rep.${at}.pre_norm_ffn.4`,
  }),
  lastNorm: (depth) => `global_rep.${depth}`,
}

/** transformers, modeling_mobilevit.py. */
const huggingFace: Vocabulary = {
  stem: 'conv_stem',
  finalConvolution: 'conv_1x1_exp',
  head: 'classifier',
  conv: 'convolution',
  norm: 'normalization',
  block: (stage, at, { transformer }) =>
    `encoder.layer.${stage}.${transformer ? 'downsampling_layer' : `layer.${at}`}`,
  inverted: ['expand_1x1', 'conv_3x3', 'reduce_1x1'],
  mobileVit: (stage) => `encoder.layer.${stage}`,
  parts: { conv_kxk: 'conv_kxk', conv_1x1: 'conv_1x1', conv_proj: 'conv_projection', conv_fusion: 'fusion' },
  layer: (at) => ({
    norm1: `transformer.layer.${at}.layernorm_before`,
    qkv: ['query', 'key', 'value'].map((part) => `transformer.layer.${at}.attention.attention.${part}`),
    proj: `transformer.layer.${at}.attention.output.dense`,
    norm2: `transformer.layer.${at}.layernorm_after`,
    fc1: `transformer.layer.${at}.intermediate.dense`,
    fc2: `transformer.layer.${at}.output.dense`,
  }),
  lastNorm: () => 'layernorm',
}

const ignored = /(^|\.)num_batches_tracked$/

/** The dialects of its parameters' names beside ours, which is timm's. */
export function mobileVitNames(config: Pick<MobileVitConfig, 'stages'>): readonly NameMap[] {
  return [
    {
      dialect: 'mobilevit',
      detect: (names) => names.includes('conv_1.block.conv.weight'),
      rules: dialectRules(config, official),
      prefixes: [],
      ignored,
    },
    {
      dialect: 'huggingface',
      detect: (names) => names.some((name) => name.endsWith('conv_stem.convolution.weight')),
      rules: dialectRules(config, huggingFace),
      prefixes: ['mobilevit.'],
      ignored,
    },
  ]
}

/** Every convolution has one behind it, but for the one that makes tokens. */
export const mobileVitNorms: readonly BatchNorm[] = [
  { norm: '{x}.bn', map: '{x}.conv', stands: 'after', epsilon: 1e-5 },
]
