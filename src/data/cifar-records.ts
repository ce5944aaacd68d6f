import { BlvitError } from '../base/blvit-error.js'
import type { Pixels } from '../image/pixels.js'
import type { DataItem } from './data-set.js'

const side = 32
const plane = side * side
/** A byte of label, then the red, the green and the blue plane. */
export const recordBytes = 1 + 3 * plane

/** Bytes of a batch file of CIFAR-10's binary version, in pieces of any length. */
export interface RecordFile {
  /** For people, and the beginning of the names of its pictures: `data_batch_1.bin` */
  readonly name: string
  /** For messages. */
  readonly path: string
  readonly sizeBytes: number
  readonly pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}

/** `[3, 32, 32]` to `[32, 32, 3]`. */
function interleaved(planes: Uint8Array): Pixels {
  const values = new Uint8Array(3 * plane)
  for (let i = 0; i < plane; i++) {
    values[3 * i] = planes[i] as number
    values[3 * i + 1] = planes[plane + i] as number
    values[3 * i + 2] = planes[2 * plane + i] as number
  }
  return { width: side, height: side, values }
}

async function* recordsOf(pieces: RecordFile['pieces']): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array(0)
  for await (const piece of pieces) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    let start = 0
    for (; start + recordBytes <= bytes.length; start += recordBytes) {
      yield bytes.subarray(start, start + recordBytes)
    }
    rest = Uint8Array.from(bytes.subarray(start))
  }
}

/**
 * The pictures of one batch file. Where the file's length is wrong, those before the first record that can't be one,
 * and then the reason.
 * @param classes the model's class number of each of CIFAR-10's ten classes
 */
export async function* cifarPictures(
  { name, path, sizeBytes, pieces }: RecordFile,
  classes: readonly (number | undefined)[],
): AsyncGenerator<DataItem> {
  const isWhole = sizeBytes % recordBytes === 0 && sizeBytes > 0
  const records = sizeBytes / recordBytes
  let number = 0
  for await (const record of recordsOf(pieces)) {
    const label = record[0] as number
    if (label >= classes.length && !isWhole) break
    const item = { name: `${name}/${number}`, readShare: (number + 1) / records }
    number += 1
    if (label >= classes.length) {
      const message = `${path}, record ${number - 1}: label ${label} is out of range: CIFAR-10's are 0 to 9.`
      yield { ...item, error: new BlvitError('BAD_DATA', message, { label }) }
    } else {
      yield { ...item, source: interleaved(record.subarray(1)), label: classes[label] }
    }
  }
  if (!isWhole) yield { name, error: wrongLength(path, sizeBytes, number), readShare: 1 }
}

function wrongLength(path: string, sizeBytes: number, used: number): BlvitError {
  return new BlvitError(
    'BAD_DATA',
    `${path} has ${sizeBytes} bytes, but CIFAR-10's records have ${recordBytes} each: it was cut off, or it is ` +
      `something else (CIFAR-100's have 3074). The first ${used} records are used.`,
    { path, sizeBytes },
  )
}
