import { throwIfAborted } from '../../base/blvit-error.js'
import { replaceFile } from '../../files/replace-file.js'
import { type EncodeOptions, encodeSafetensors } from '../safetensors/encode.js'
import type { StoredTensor } from '../stored-tensor.js'

export interface WriteOptions extends EncodeOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: { writtenBytes: number; totalBytes: number }) => void) | undefined
}

/**
 * Writes tensors as a safetensors file, streaming: memory stays at a few MiB whatever the model's size.
 * The file appears whole or not at all, and may replace one that the tensors are read from.
 * @throws BlvitError `WRITE_FAILED` with path and reason, `BAD_WEIGHTS` if a tensor can't be read, `ABORTED`
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<readonly [name: string, tensor: StoredTensor]>,
  { signal, onProgress, ...layout }: WriteOptions = {},
): Promise<void> {
  const { sizeBytes: totalBytes, chunks } = encodeSafetensors(tensors, layout)

  async function* watched(): AsyncGenerator<Uint8Array> {
    let writtenBytes = 0
    for await (const chunk of chunks()) {
      throwIfAborted(signal)
      yield chunk
      writtenBytes += chunk.byteLength
      onProgress?.({ writtenBytes, totalBytes })
    }
  }
  await replaceFile(path, watched())
}
