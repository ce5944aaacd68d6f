import { openFileSource } from '../../src/weights/node/file-source.js'
import { readFloats } from '../../src/weights/read-floats.js'
import { readSafetensors } from '../../src/weights/safetensors/read.js'
import type { StoredTensors } from '../../src/weights/stored-tensor.js'
import { readIntegers } from './read-integers.js'

/** The tensors of a golden file, read whole. */
export interface Golden {
  /** @throws Error if there is no such tensor */
  floats(name: string): Float32Array
  shape(name: string): readonly number[]
  integers(name: string): number[]
  has(name: string): boolean
  /** Of all tensors that begin so, floats and integers. */
  names(prefix: string): string[]
  isInteger(name: string): boolean
  /** The tensors under a prefix, the prefix cut off, still in their file. */
  weights(prefix: string): StoredTensors
}

export async function readGolden(path: string): Promise<Golden> {
  const file = await readSafetensors(await openFileSource(path))
  const floats = new Map<string, Float32Array>()
  for (const [name, tensor] of file.tensors) floats.set(name, await readFloats(tensor))
  const integers = new Map<string, number[]>()
  for (const [name, tensor] of file.integers) integers.set(name, await readIntegers(tensor))
  const found = <T>(map: ReadonlyMap<string, T>, name: string): T => {
    const value = map.get(name)
    if (value === undefined) throw new Error(`${path} has no tensor ${name}`)
    return value
  }
  return {
    floats: (name) => found(floats, name),
    shape: (name) => (file.integers.get(name) ?? found(file.tensors, name)).shape,
    integers: (name) => found(integers, name),
    has: (name) => floats.has(name) || integers.has(name),
    names: (prefix) => [...floats.keys(), ...integers.keys()].filter((name) => name.startsWith(prefix)),
    isInteger: (name) => integers.has(name),
    weights: (prefix) =>
      new Map(
        [...file.tensors]
          .filter(([name]) => name.startsWith(prefix))
          .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
      ),
  }
}
