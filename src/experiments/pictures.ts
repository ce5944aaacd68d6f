import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { preparedAhead } from '../base/ahead.js'
import { BlvitError } from '../base/blvit-error.js'
import type { DataItem } from '../data/data-set.js'
import { openDataSet } from '../data/open-data-set.js'
import { makeFolder, writeWholeFile } from '../files/output-files.js'
import { decodeImage } from '../image/node/decode.js'

/** Pictures to learn from and to test with. */
export interface TablePictures {
  /** References; of `test` the table's task knows what lies there. */
  readonly train: string
  readonly test: string
  /** Of what they were made of. */
  readonly fingerprint: string
}

export interface UnpackOptions {
  readonly labels: readonly string[]
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined
}

// As CIFAR-10's binary version is cut.
const picturesPerFile = 10_000
const side = 32
/** Pictures that the decoder's threads have in work. */
const decodedAhead = 8
const parts = { train: { files: 5 }, test: { files: 1 } } as const

type Part = keyof typeof parts

const partNames = ['train', 'test'] as const satisfies readonly Part[]

function fileName(part: Part, number: number): string {
  return part === 'train' ? `data_batch_${number + 1}.bin` : 'test_batch.bin'
}

/** What has more isn't CIFAR-10. */
function tooMany(data: string, most: number): BlvitError {
  const message = `${data} holds more than ${most} pictures, which CIFAR-10's has. Give CIFAR-10 itself, or fewer.`
  return new BlvitError('BAD_DATA', message, { most })
}

/** `[32, 32, 3]` to a byte of label and three planes. */
function recordOf(pixels: Uint8Array, label: number): Uint8Array {
  const plane = side * side
  const record = new Uint8Array(1 + 3 * plane)
  record[0] = label
  for (let i = 0; i < plane; i++)
    for (let channel = 0; channel < 3; channel++)
      record[1 + channel * plane + i] = pixels[3 * i + channel] ?? 0
  return record
}

/** @throws BlvitError of an item that can't be used */
async function madeRecord(item: DataItem, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if ('error' in item) throw item.error
  const { width, height, values } = await decodeImage(item.source, { signal })
  if (width !== side || height !== side || item.label === undefined) {
    const what = item.label === undefined ? 'no label' : `${width} × ${height} pixels`
    const message = `${item.name} has ${what}; CIFAR-10's pictures are labelled and have ${side} × ${side}.`
    throw new BlvitError('BAD_DATA', message)
  }
  return recordOf(values, item.label)
}

/**
 * Decodes CIFAR-10 once and writes its binary version, so that the many runs of a table don't decode 60,000 pictures each.
 * What is there already stays.
 * @param data where `train` and `test` are: an archive or a folder
 * @throws BlvitError `NOT_FOUND`, `BAD_DATA`, `WRITE_FAILED`, `ABORTED`
 */
export async function unpackPictures(
  data: string,
  folder: string,
  { labels, signal, onProgress }: UnpackOptions,
): Promise<TablePictures> {
  const sources = {
    train: await openDataSet(join(data, 'train'), { labels }),
    test: await openDataSet(join(data, 'test'), { labels }),
  }
  const fingerprint = `${await sources.train.fingerprint()} ${await sources.test.fingerprint()}`
  await makeFolder(folder)
  const seal = join(folder, 'unpacked.txt')
  const total = picturesPerFile * Object.values(parts).reduce((sum, { files }) => sum + files, 0)
  const unpacked = { train: join(folder, 'train'), test: join(folder, 'test'), fingerprint }
  if ((await readFile(seal, 'utf8').catch(() => '')).trim() === fingerprint) return unpacked
  // whoever is stopped in the middle of others leaves no seal
  await rm(seal, { force: true })
  let count = 0
  for (const part of partNames) {
    const held: Uint8Array[] = []
    let file = 0
    const write = async () => {
      if (file >= parts[part].files) throw tooMany(join(data, part), parts[part].files * picturesPerFile)
      await writeWholeFile(join(folder, fileName(part, file++)), Buffer.concat(held.splice(0)))
    }
    const made = (item: DataItem) => madeRecord(item, signal)
    for await (const record of preparedAhead(sources[part].items({ signal }), made, {
      ahead: decodedAhead,
    })) {
      held.push(record)
      onProgress?.({ done: ++count, total })
      if (held.length === picturesPerFile) await write()
    }
    if (held.length > 0) await write()
    // of pictures that were unpacked there before, and were more
    for (; file < parts[part].files; file++) await rm(join(folder, fileName(part, file)), { force: true })
  }
  await writeWholeFile(seal, `${fingerprint}\n`)
  return unpacked
}
