import type { Initialiser } from '../../graph/initialiser.js'
import { concat, expand, gelu, matmul, parameter, reshape, slice } from '../../graph/ops/index.js'
import { scope } from '../../graph/scope.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'
import type { ActivationName } from '../../nn/activations.js'
import { doubled, doubledToMap } from '../../nn/convolution.js'
import { linearStack } from './linear-stack.js'
import { type TwoWayConfig, type TwoWayTokens, twoWayTransformer } from './two-way-transformer.js'

export interface MaskDecoderConfig {
  readonly width: number
  readonly transformer: TwoWayConfig
  /** Masks that a prompt is answered with beside the single one. */
  readonly masks: number
  /** Hidden width of the map to predicted IoUs. */
  readonly iouWidth: number
  /** Names of the linear maps that make weights of a mask's token, and of those that predict IoUs. */
  readonly maskNames: readonly string[]
  readonly iouNames: readonly string[]
  /** Between these maps. */
  readonly activation: ActivationName
  /** The names of the two doubling convolutions, and the norm behind the first. */
  readonly upscaling: {
    readonly first: string
    readonly second: string
    /** Channels behind each of them. */
    readonly channels: readonly [number, number]
    readonly norm: (tokens: Tensor) => Tensor
  }
}

/** What the decoder reads. */
export interface DecoderInputs {
  /** The embedding with what mask prompts add. `[1 or prompts, places, width]` */
  readonly image: Tensor
  /** `[1, places, width]` */
  readonly places: Tensor
  /** Tokens of points and boxes. `[prompts, tokens, width]` */
  readonly sparse: Tensor
  readonly grid: { readonly rows: number; readonly columns: number }
}

export interface DecodedMasks {
  /** The single mask first. `[prompts, 1 + masks, 4·rows, 4·columns]` */
  readonly logits: Tensor
  /** `[prompts, 1 + masks]` */
  readonly iouPredictions: Tensor
  /** On the way: what each layer left, the tokens at the end, the map that masks are products with. */
  readonly layers: readonly TwoWayTokens[]
  readonly tokens: Tensor
  readonly keys: Tensor
  readonly upscaled: Tensor
}

const unitNormal: Initialiser = { kind: 'truncatedNormal', deviation: 1 }

/**
 * The map of the image at four times its size, sixteen places for each in the order in which they were doubled: brought to
 * their places, masks are a sixteenth of it.
 * @param keys `[prompts, places, width]` @returns `[prompts, 16·places, channels]`
 */
function upscale(keys: Tensor, config: MaskDecoderConfig): Tensor {
  const { first, second, channels, norm } = config.upscaling
  const once = doubled(first, keys, { out: channels[0] })
  return gelu(doubled(second, gelu(norm(once)), { out: channels[1] }))
}

/** One token of each prompt. @param tokens `[prompts, tokens, width]` @returns `[prompts, width]` */
function tokenAt(tokens: Tensor, at: number): Tensor {
  const token = slice(tokens, { axis: 1, start: at, end: at + 1 })
  return reshape(token, [sizeAt(tokens, 0), sizeAt(tokens, 2)])
}

/** SAM's mask decoder (Kirillov et al. 2023, appendix A): masks are products of what tokens found with an upscaled image. */
export function maskDecoder(
  { image, places, sparse, grid }: DecoderInputs,
  config: MaskDecoderConfig,
): DecodedMasks {
  const { width, masks, maskNames, iouNames, iouWidth, activation } = config
  const prompts = sizeAt(sparse, 0)
  const all = 1 + masks
  const channels = config.upscaling.channels[1]
  return scope('mask_decoder', () => {
    const own = concat(
      [
        parameter('iou_token.weight', [1, width], unitNormal),
        parameter('mask_tokens.weight', [all, width], unitNormal),
      ],
      { axis: 0 },
    )
    const tokens = concat([expand(reshape(own, [1, 1 + all, width]), [prompts, 1 + all, width]), sparse], {
      axis: 1,
    })
    const { layers, queries, keys } = scope('transformer', () =>
      twoWayTransformer({ queries: tokens, keys: image }, { tokens, places }, config.transformer),
    )
    const upscaled = upscale(keys, config)
    const inPlace = (x: Tensor) => doubledToMap(x, { ...grid, doublings: 2 })
    const weights = Array.from({ length: all }, (_, mask) =>
      scope(`output_hypernetworks_mlps.${mask}`, () =>
        linearStack(tokenAt(queries, 1 + mask), {
          names: maskNames,
          ...{ hidden: width, out: channels, activation },
        }),
      ),
    )
    // [prompts, masks, channels]
    const hyper = concat(
      weights.map((x) => reshape(x, [prompts, 1, channels])),
      { axis: 1 },
    )
    const iouPredictions = scope('iou_prediction_head', () =>
      linearStack(tokenAt(queries, 0), { names: iouNames, hidden: iouWidth, out: all, activation }),
    )
    return {
      logits: inPlace(matmul(upscaled, hyper, { transposeB: true })),
      iouPredictions,
      layers,
      tokens: queries,
      keys,
      upscaled: inPlace(upscaled),
    }
  })
}
