import { readBytes } from '../weights/read-floats.js'
import type { ModelFiles } from './model-files.js'

/** Web Crypto digests no streams: a tensor is one piece, the whole is the digest of its pieces' digests. */
async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * Changes when anything does that decides a model's answers: configuration, preprocessing, labels, how scores are made, weights. Doesn't
 * depend on the folder's place. Reads all weights.
 * @throws BlvitError `BAD_WEIGHTS` if a tensor can't be read
 */
export async function modelFingerprint({
  architecture,
  preprocessing,
  labels,
  scores,
  weights,
}: ModelFiles): Promise<string> {
  const pieces = [JSON.stringify([architecture.json, architecture.image, preprocessing, labels, scores])]
  for (const [name, tensor] of weights) {
    pieces.push(JSON.stringify([name, tensor.dtype, tensor.shape, await sha256(await readBytes(tensor))]))
  }
  return sha256(new TextEncoder().encode(pieces.join('\n')))
}
