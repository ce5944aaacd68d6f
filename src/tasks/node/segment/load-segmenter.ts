import { BlvitError } from '../../../base/blvit-error.js'
import { nodeDecoder } from '../../../image/node/decode.js'
import { Segmenter } from '../../segment/segmenter.js'
import { type LoadMaskEngineOptions, loadMaskEngine } from './load-mask-engine.js'

/**
 * Loads a Segment Anything model.
 * @param reference a folder, or an id of the Hugging Face hub, which is downloaded once
 * @throws BlvitError as `load`; `UNSUPPORTED` for a model that makes no masks
 * @example
 * await using sam = await loadSegmenter('my-sam')
 * const encoded = await sam.encode('photo.jpg')
 */
export async function loadSegmenter(
  reference: string | undefined,
  options: LoadMaskEngineOptions = {},
): Promise<Segmenter> {
  // none ships, and another kind of model would only be refused later
  if (reference === undefined) {
    throw new BlvitError(
      'BAD_OPTION',
      'Name a Segment Anything model: a folder, or an id of the Hugging Face hub.',
    )
  }
  return new Segmenter(reference, await loadMaskEngine(reference, options), nodeDecoder)
}
