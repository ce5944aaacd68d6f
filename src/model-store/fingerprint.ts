import { createHash } from 'node:crypto'
import { tensorChunks } from '../weights/tensor-chunks.js'
import type { ModelFiles } from './model-files.js'

/**
 * Changes when anything does that decides a model's answers: configuration, preprocessing, labels, weights. Doesn't
 * depend on the folder's place. Reads all weights.
 * @throws BlvitError `BAD_WEIGHTS` if a tensor can't be read
 */
export async function modelFingerprint({
  architecture,
  preprocessing,
  labels,
  weights,
}: ModelFiles): Promise<string> {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([architecture.json, architecture.image, preprocessing, labels]))
  for (const [name, tensor] of weights) {
    hash.update(JSON.stringify([name, tensor.dtype, tensor.shape]))
    for await (const chunk of tensorChunks(tensor)) hash.update(chunk)
  }
  return hash.digest('hex')
}
