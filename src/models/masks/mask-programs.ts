import { add, input, mapToTokens } from '../../graph/ops/index.js'
import type { Tensor } from '../../graph/tensor.js'
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
  const embedding = mapToTokens(embeddingInput(prompts))
  const dense = denseTokens(prompts, masks)
  return maskDecoder(
    {
      image: dense ? add(embedding, dense) : embedding,
      places: gridEncoding(prompts),
      sparse: pointTokens(pointInputs(), prompts),
      grid: prompts.grid,
    },
    decoder,
  )
}

function outputsOf({ logits, iouPredictions }: DecodedMasks): Program {
  return { low_res_masks: logits, iou_predictions: iouPredictions }
}

/**
 * What a model that cuts things out of pictures can be asked for: `encode` makes an embedding of a picture, `decode` masks of an
 * embedding for points and boxes, `refine` the same with masks among the prompts, where it knows these.
 * @param embedding of its encoder. `[batch, width, rows, columns]`
 */
export function maskPrograms(
  embedding: Tensor,
  prompts: PromptEncoderConfig,
  decoder: MaskDecoderConfig,
): Readonly<Record<string, Program>> {
  return {
    encode: { image_embeddings: embedding },
    decode: outputsOf(decode(prompts, decoder)),
    ...(prompts.maskChannels !== undefined && {
      refine: outputsOf(decode(prompts, decoder, { masks: maskInput(prompts) })),
    }),
  }
}
