import { type FetchOptions, fetchModel } from '../../model-store/fetch-model.js'
import { modelAddress } from '../../model-store/model-address.js'
import { type ModelFiles, readDescription, withWeights } from '../../model-store/model-files.js'
import type { ModelParts } from '../../model-store/model-parts.js'
import { blobSource, bytesSource } from '../../weights/byte-source.js'
import { readSafetensors } from '../../weights/safetensors/read.js'

/** Where a browser finds a model: the address of its folder, relative to the page or not, or its files. */
export type BrowserModel = string | URL | ModelParts

function isAddress(model: BrowserModel): model is string | URL {
  return typeof model === 'string' || model instanceof URL
}

/** For messages. */
export function nameOf(model: BrowserModel): string {
  return isAddress(model) ? String(model) : (model.name ?? 'the model given')
}

async function openParts(parts: ModelParts, signal: AbortSignal | undefined): Promise<ModelFiles> {
  const { weights } = parts
  const name = nameOf(parts)
  const source = weights instanceof Blob ? blobSource(weights) : bytesSource(weights, { name })
  const { tensors } = await readSafetensors(source)
  return withWeights(readDescription(parts), tensors, { source: name, signal, search: false })
}

/** @throws BlvitError as {@link fetchModel} */
export function openBrowserModel(model: BrowserModel, options: FetchOptions): Promise<ModelFiles> {
  return isAddress(model) ? fetchModel(modelAddress(model), options) : openParts(model, options.signal)
}
