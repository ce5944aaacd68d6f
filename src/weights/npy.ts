import { BlvitError } from '../base/blvit-error.js'

/** An array as NumPy keeps it. */
export interface NpyArray {
  readonly shape: readonly number[]
  /** row-major */
  readonly values: Float32Array
}

const magic = '\x93NUMPY'

/** The header of NumPy's format 1.0: a magic, a length, a Python literal, filled up to a multiple of 64 bytes. */
export function npyHeader(shape: readonly number[]): Uint8Array {
  const prefixBytes = 10
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const literal = `{'descr': '<f4', 'fortran_order': False, 'shape': (${sides}), }`
  const length = Math.ceil((prefixBytes + literal.length + 1) / 64) * 64 - prefixBytes
  const text = `${magic}\x01\x00${String.fromCharCode(length & 0xff, length >> 8)}${literal.padEnd(length - 1)}\n`
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** Floats as a file holds them, whatever the machine's order of bytes. */
export function littleEndianFloats(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(4 * values.length)
  const view = new DataView(bytes.buffer)
  values.forEach((value, at) => {
    view.setFloat32(4 * at, value, true)
  })
  return bytes
}

/** A `.npy` file of float32. */
export function writeNpy({ shape, values }: NpyArray): Uint8Array {
  const header = npyHeader(shape)
  const file = new Uint8Array(header.length + 4 * values.length)
  file.set(header)
  file.set(littleEndianFloats(values), header.length)
  return file
}

/**
 * Reads a `.npy` file of float32 in C's order; nothing in it is executed.
 * @param name whose it is, for messages
 * @throws BlvitError `BAD_DATA`
 */
export function readNpy(file: Uint8Array, name: string): NpyArray {
  const bad = (what: string) =>
    new BlvitError('BAD_DATA', `${name} ${what}. Expected a .npy file of float32, as numpy.save writes it.`)
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const text = (from: number, to: number) => String.fromCharCode(...file.subarray(from, to))
  if (file.length < 12 || text(0, 6) !== magic) throw bad('is no .npy file')
  const isLong = (file[6] ?? 0) > 1
  const start = isLong ? 12 : 10
  const end = start + (isLong ? view.getUint32(8, true) : view.getUint16(8, true))
  // headers of arrays without fields have some hundred bytes
  if (end > file.length || end - start > 10_000) throw bad('is cut off in its header')
  const header = text(start, end)
  const [, type] = /'descr':\s*'([^']*)'/.exec(header) ?? []
  if (type !== '<f4') throw bad(`holds numbers of the type ${type ?? 'unknown'}, not <f4`)
  if (!/'fortran_order':\s*False/.test(header)) throw bad("is in Fortran's order")
  const [, sides = ''] = /'shape':\s*\(([\d,\s]*)\)/.exec(header) ?? []
  const shape = sides.split(',').flatMap((side) => (side.trim() === '' ? [] : [Number(side)]))
  const count = shape.reduce((a, b) => a * b, 1)
  if (file.length !== end + 4 * count) {
    throw bad(
      `has ${file.length - end} bytes of numbers, but its shape (${shape.join(', ')}) needs ${4 * count}`,
    )
  }
  const values = Float32Array.from({ length: count }, (_, at) => view.getFloat32(end + 4 * at, true))
  return { shape, values }
}
