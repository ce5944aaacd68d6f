import { pixelKernelWasm } from './pixel-kernel-wasm.js'
import type { ResamplingWeights } from './resampling-weights.js'

/** What pixel-kernel.wat exports; all arguments are addresses or counts. */
interface Kernel {
  readonly memory: WebAssembly.Memory
  columns(...args: number[]): void
  lookUp(source: number, count: number, table: number, target: number): void
  row(source: number, pitch: number, weights: number, taps: number, target: number): void
}

let loaded: Kernel | undefined

/** Half a kilobyte: compiled at the first picture, in less than a millisecond. */
function kernel(): Kernel {
  if (!loaded) {
    const bytes = Uint8Array.from(atob(pixelKernelWasm), (character) => character.charCodeAt(0))
    loaded = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Kernel
  }
  return loaded
}

const pageBytes = 65_536
/** The kernel works on 16 bytes at once, and may read that much beyond the end. */
const lanes = 16

/** Of at most five arrays. */
type Addresses = readonly [number, number, number, number, number]

const padded = (bytes: number) => Math.ceil(bytes / lanes) * lanes

/** Puts arrays one after the other into the kernel's memory. @returns the memory, their addresses, and that of what is free */
function place(
  memory: WebAssembly.Memory,
  arrays: readonly (Int32Array | Float32Array)[],
  others: readonly number[],
) {
  const sizes = [...arrays.map(({ byteLength }) => byteLength), ...others]
  const addresses: number[] = []
  let end = 0
  for (const size of sizes) {
    addresses.push(end)
    end += padded(size) + lanes
  }
  const missing = end - memory.buffer.byteLength
  if (missing > 0) memory.grow(Math.ceil(missing / pageBytes))
  arrays.forEach((array, i) => {
    const Numbers = array instanceof Int32Array ? Int32Array : Float32Array
    new Numbers(memory.buffer, addresses[i], array.length).set(array)
  })
  return { bytes: new Uint8Array(memory.buffer), addresses: addresses as unknown as Addresses }
}

/**
 * Weighs and adds along rows. @param source `[rows, width, 3]` @param target `[rows, columns, 3]`
 */
export function narrowRows(
  source: Uint8Array,
  { width, rows }: { readonly width: number; readonly rows: number },
  { starts, counts, weights, stride }: ResamplingWeights,
  target: Uint8Array,
): void {
  const { memory, columns } = kernel()
  const { bytes, addresses } = place(memory, [starts, counts, weights], [source.length, target.length])
  const [startsAt, countsAt, weightsAt, sourceAt, targetAt] = addresses
  bytes.set(source, sourceAt)
  columns(sourceAt, width, rows, startsAt, countsAt, weightsAt, stride, starts.length, targetAt)
  target.set(bytes.subarray(targetAt, targetAt + target.length))
}

/**
 * Weighs and adds rows.
 * @param source rows of `rowLength` bytes, from row `offset` of the picture on
 * @param options `first`, `count`: the rows of the result
 * @param target `[count, rowLength]`
 */
export function shortenRows(
  source: Uint8Array,
  { offset, rowLength, first, count }: { offset: number; rowLength: number; first: number; count: number },
  { starts, counts, weights, stride }: ResamplingWeights,
  target: Uint8Array,
): void {
  const { memory, row } = kernel()
  const last = first + count - 1
  const top = (starts[first] as number) - offset
  const height = (starts[last] as number) + (counts[last] as number) - offset - top
  const pitch = padded(rowLength)
  const used = weights.subarray(first * stride, (last + 1) * stride)
  const { bytes, addresses } = place(memory, [used], [height * pitch, pitch])
  const [weightsAt, sourceAt, targetAt] = addresses
  for (let line = 0; line < height; line++) {
    const from = (top + line) * rowLength
    bytes.set(source.subarray(from, from + rowLength), sourceAt + line * pitch)
  }
  for (let line = 0; line < count; line++) {
    const from = (starts[first + line] as number) - offset - top
    const taps = counts[first + line] as number
    row(sourceAt + from * pitch, pitch, weightsAt + 4 * line * stride, taps, targetAt)
    target.set(bytes.subarray(targetAt, targetAt + rowLength), line * rowLength)
  }
}

/**
 * Looks up every third byte, from the first on.
 * @param table 256 numbers @param target as many as there are third bytes
 */
export function lookUpChannel(source: Uint8Array, table: Float32Array, target: Float32Array): void {
  if (target.length === 0) return
  const { memory, lookUp } = kernel()
  const { bytes, addresses } = place(memory, [table], [source.length, target.byteLength])
  const [tableAt, sourceAt, targetAt] = addresses
  bytes.set(source, sourceAt)
  lookUp(sourceAt, target.length, tableAt, targetAt)
  target.set(new Float32Array(memory.buffer, targetAt, target.length))
}
