import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { parseWith } from '../base/parse.js'
import type { ConfigJson } from './architecture.js'
import { depth, epsilon, imageOf, imageSize, ratio, size } from './config-values.js'
import { type TokenModuleName, tokenModules } from './token-modules/index.js'
import { usualSwitches, type VitShape } from './vit-config.js'
import { checkedShape, writeVitShape } from './vit-json.js'

/** A T2T-ViT: a ViT whose patches are made by looking around twice, in windows that overlap. */
export interface T2tConfig extends VitShape {
  readonly family: 't2t'
  /** What looks around. */
  readonly tokenModule: TokenModuleName
  /** Channels of the map between the cuts. */
  readonly tokenWidth: number
}

/** Sides of the cuts into windows, in pixels of the map that they cut. */
export const cuts = [
  { kernel: 7, stride: 4, padding: 2 },
  { kernel: 3, stride: 2, padding: 1 },
  { kernel: 3, stride: 2, padding: 1 },
] as const

/** Pixels of the picture from one token to the next: 16. */
const tokenStride = cuts.reduce((product, { stride }) => product * stride, 1)

/** A T2T-ViT of the official form at 224 pixels with 1000 classes, but for what is given. */
export function usualT2t(
  sizes: Pick<VitShape, 'width' | 'depth' | 'heads'> & Partial<Omit<T2tConfig, 'family'>>,
): T2tConfig {
  return {
    ...usualSwitches({ distilled: false }),
    family: 't2t',
    image: { height: 224, width: 224 },
    patchSize: tokenStride,
    channels: 3,
    mlpRatio: 3,
    classes: 1000,
    layerNormEpsilon: 1e-5,
    distilled: false,
    qkvBias: false,
    tokenModule: 'performer',
    tokenWidth: 64,
    ...sizes,
  }
}

/** The sizes of the official names. */
export const t2tSizes = { 19: { width: 448, depth: 19, heads: 7 } } as const

const onlyValue = (value: unknown, is: string) =>
  z
    .unknown()
    .refine((given) => given === undefined || given === null || given === value, is)
    .optional()

const t2tSchema = z.lazy(() =>
  z.looseObject({
    architecture: z.string().optional(),
    image_size: imageSize.optional(),
    img_size: imageSize.optional(),
    in_chans: size.optional(),
    num_classes: z.int().min(0).max(65_536).optional(),
    embed_dim: size.optional(),
    depth: depth.optional(),
    num_heads: size.optional(),
    mlp_ratio: ratio.optional(),
    layer_norm_eps: epsilon.optional(),
    qkv_bias: z.boolean().optional(),
    tokens_type: z.enum(Object.keys(tokenModules) as [TokenModuleName, ...TokenModuleName[]]).optional(),
    token_dim: z.int().min(2).max(65_536).optional(),
    patch_size: onlyValue(tokenStride, `T2T-ViT makes a token of ${tokenStride} × ${tokenStride} pixels`),
    distilled: onlyValue(false, 'T2T-ViT has no distillation token'),
    qk_scale: onlyValue(null, 'blvit scales by headWidth^-0.5, as T2T-ViT is evaluated'),
  }),
)

/** `t2t_vit_19`, `t2t_vit_t_19`: module and size of an official name. */
const officialName = /^t2t_vit(_t)?_(\d+)/i

/** True for a config.json of ours, or with an official name. */
export function describesT2t({ model_type: type, architecture: name }: ConfigJson): boolean {
  return type === undefined ? typeof name === 'string' && officialName.test(name) : type === 't2t'
}

/** What an official name says; only of the size that blvit knows. */
function ofName(name: string | undefined): Partial<T2tConfig> {
  const [, softmax, number] = officialName.exec(name ?? '') ?? []
  if (number === undefined) return {}
  const known = Object.entries(t2tSizes).find(([key]) => key === number)?.[1]
  return { ...known, tokenModule: softmax === undefined ? 'performer' : 'transformer' }
}

function required(value: number | undefined, key: string): number {
  if (value !== undefined) return value
  const names = Object.keys(t2tSizes).map((number) => `t2t_vit_${number}`)
  const message = `config.json doesn't say "${key}", and its "architecture" is no name that tells it (${names.join(', ')}).`
  throw new BlvitError('BAD_CONFIG', message, { key })
}

/** @throws BlvitError `BAD_CONFIG` naming every wrong key */
export function readT2tConfig(json: ConfigJson): T2tConfig {
  const keys = parseWith(t2tSchema, json, 'config.json')
  const named = ofName(keys.architecture)
  const said = <Value>(value: Value | undefined, usual: Value) => value ?? usual
  const usual = usualT2t({
    width: required(keys.embed_dim ?? named.width, 'embed_dim'),
    depth: required(keys.depth ?? named.depth, 'depth'),
    heads: required(keys.num_heads ?? named.heads, 'num_heads'),
  })
  const config: T2tConfig = {
    ...usual,
    image: imageOf(keys.image_size ?? keys.img_size ?? usual.image.height),
    channels: said(keys.in_chans, usual.channels),
    mlpRatio: said(keys.mlp_ratio, usual.mlpRatio),
    classes: said(keys.num_classes, usual.classes),
    layerNormEpsilon: said(keys.layer_norm_eps, usual.layerNormEpsilon),
    qkvBias: said(keys.qkv_bias, usual.qkvBias),
    tokenModule: keys.tokens_type ?? named.tokenModule ?? usual.tokenModule,
    tokenWidth: said(keys.token_dim, usual.tokenWidth),
  }
  checkedShape(config)
  return config
}

export function writeT2tConfig(config: T2tConfig): ConfigJson {
  return {
    model_type: 't2t',
    ...writeVitShape(config),
    // a plain ViT's usual value isn't a T2T-ViT's
    qkv_bias: config.qkvBias,
    tokens_type: config.tokenModule,
    token_dim: config.tokenWidth,
  }
}
