import { type Dim, times } from '../../graph/dim.js'
import { add, expand, input, mapToTokens, reshape } from '../../graph/ops/index.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'
import type { Program } from '../model-definition.js'
import { type DecodedMasks, type MaskDecoderConfig, maskDecoder } from './mask-decoder.js'
import {
  gridEncoding,
  maskInput,
  maskTokens,
  noMaskToken,
  type PromptEncoderConfig,
  pointInputs,
  pointTokens,
  promptInputs,
} from './prompt-encoder.js'

/** An embedding, fed at each run. `[1, width, rows, columns]` */
function embeddingInput({ width, grid }: PromptEncoderConfig): Tensor {
  return input(promptInputs.embedding, [1, width, grid.rows, grid.columns])
}

/** What masks, or their absence, add to an embedding; undefined for a model that knows no masks as prompts. */
function denseTokens(prompts: PromptEncoderConfig, masks: Tensor | undefined): Tensor | undefined {
  if (prompts.maskChannels === undefined) return undefined
  return masks ? maskTokens(masks, prompts) : noMaskToken(prompts)
}

/** Masks of an embedding for points and corners that are fed, and for masks where `masks` is given. */
function decode(
  prompts: PromptEncoderConfig,
  decoder: MaskDecoderConfig,
  { masks }: { masks?: Tensor } = {},
): DecodedMasks {
  const image = withDense(embeddingInput(prompts), prompts, masks)
  return masksFor(pointInputs(), image, { prompts, decoder })
}

/** @returns `[batch, places, width]` */
function withDense(embedding: Tensor, prompts: PromptEncoderConfig, masks?: Tensor): Tensor {
  const dense = denseTokens(prompts, masks)
  const tokens = mapToTokens(embedding)
  return dense ? add(tokens, dense) : tokens
}

/** @param image `[1 or prompts, places, width]` */
function masksFor(
  points: ReturnType<typeof pointInputs>,
  image: Tensor,
  { prompts, decoder }: { prompts: PromptEncoderConfig; decoder: MaskDecoderConfig },
): DecodedMasks {
  const sparse = pointTokens(points, prompts)
  return maskDecoder({ image, places: gridEncoding(prompts), sparse, grid: prompts.grid }, decoder)
}

/** Each picture of a batch is asked equally often, and its embedding is there for each of its prompts. */
function answerEach(
  embedding: Tensor,
  each: number,
  parts: { prompts: PromptEncoderConfig; decoder: MaskDecoderConfig },
): DecodedMasks {
  const image = withDense(embedding, parts.prompts)
  const [batch, places, width] = [0, 1, 2].map((axis) => sizeAt(image, axis)) as [Dim, Dim, Dim]
  const all = times(batch, each)
  const repeated = expand(reshape(image, [batch, 1, places, width]), [batch, each, places, width])
  return masksFor(pointInputs(all), reshape(repeated, [all, places, width]), parts)
}

function outputsOf({ logits, iouPredictions }: DecodedMasks): Program {
  return { low_res_masks: logits, iou_predictions: iouPredictions }
}

/**
 * What a model that cuts things out of pictures can be asked for: `encode` makes an embedding of a picture, `decode` masks of an
 * embedding for points and boxes, `refine` the same with masks among the prompts, where it knows these; `answer`, of a model that
 * learns, all of it at once for a batch of pictures.
 * @param embedding of its encoder. `[batch, width, rows, columns]`
 */
export function maskPrograms(
  embedding: Tensor,
  prompts: PromptEncoderConfig,
  decoder: MaskDecoderConfig,
  { promptsPerPicture }: { readonly promptsPerPicture?: number | undefined } = {},
): Readonly<Record<string, Program>> {
  return {
    encode: { image_embeddings: embedding },
    decode: outputsOf(decode(prompts, decoder)),
    ...(prompts.maskChannels !== undefined && {
      refine: outputsOf(decode(prompts, decoder, { masks: maskInput(prompts) })),
    }),
    ...(promptsPerPicture !== undefined && {
      answer: outputsOf(answerEach(embedding, promptsPerPicture, { prompts, decoder })),
    }),
  }
}
