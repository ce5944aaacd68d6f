import { defined } from '../base/assert.js'
import type { ParameterStorage, StorageOf, StoredRange } from '../graph/onnx/parameter-storage.js'
import type { ByteSource, StoredTensors } from '../weights/stored-tensor.js'

/** Where the engine finds the parameters of a graph. */
export interface PlacedWeights {
  readonly storageOf: StorageOf
  /** Location name in the model → the source it stands for. */
  readonly sources: ReadonlyMap<string, ByteSource>
}

/**
 * Says for each parameter which range of which source holds it, so that an engine reads weights straight
 * from their files and JavaScript copies nothing.
 * @param options `locate` names a source inside the ONNX model, undefined: its ranges are copied into the model;
 *   `trained`: parameters that are fed instead
 */
export async function placeWeights(
  weights: StoredTensors,
  {
    locate,
    trained = new Set(),
  }: { locate: (source: ByteSource) => string | undefined; trained?: ReadonlySet<string> | undefined },
): Promise<PlacedWeights> {
  const sources = new Map<string, ByteSource>()
  const storages = new Map<string, ParameterStorage>()
  for (const [name, tensor] of weights) {
    const ranges: StoredRange[] = []
    for (const { source, offset, sizeBytes } of tensor.segments) {
      const location = locate(source)
      if (location === undefined) {
        ranges.push({ sizeBytes, bytes: await source.read(offset, sizeBytes) })
      } else {
        sources.set(location, source)
        ranges.push({ sizeBytes, location, offset })
      }
    }
    storages.set(name, { dtype: tensor.dtype, ranges })
  }
  const storageOf: StorageOf = (name) =>
    trained.has(name) ? 'fed' : defined(storages.get(name), `the weight ${name}`)
  return { storageOf, sources }
}
