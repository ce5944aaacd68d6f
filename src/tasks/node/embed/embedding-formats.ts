import { extname } from 'node:path'
import { BlvitError } from '../../../base/blvit-error.js'
import { csvText } from '../../../data/csv-table.js'
import { writeWholeFile } from '../../../files/output-files.js'
import { replaceFile } from '../../../files/replace-file.js'
import { littleEndianFloats, npyHeader } from '../../../weights/npy.js'

/** A picture's vector. */
export interface Embedding {
  readonly name: string
  readonly vector: Float32Array
}

/** A kind of file for vectors. */
interface EmbeddingFormat {
  /** Every path that writing to a path writes. */
  paths(path: string): readonly string[]
  /** Writes each file whole or not at all. @throws BlvitError `WRITE_FAILED` */
  write(path: string, embeddings: readonly Embedding[]): Promise<void>
}

async function* npyChunks(embeddings: readonly Embedding[]): AsyncGenerator<Uint8Array> {
  yield npyHeader([embeddings.length, embeddings[0]?.vector.length ?? 0])
  for (const { vector } of embeddings) yield littleEndianFloats(vector)
}

async function* jsonLines(embeddings: readonly Embedding[]): AsyncGenerator<Uint8Array> {
  for (const { name, vector } of embeddings) {
    yield Buffer.from(`${JSON.stringify({ picture: name, embedding: Array.from(vector) })}\n`)
  }
}

/** Row names of an array, which has no place for them: `features.npy` → `features.files.txt`. */
function namesPath(path: string): string {
  return `${path.slice(0, -extname(path).length)}.files.txt`
}

/** By the ending of the file's name. Adding one is an entry here, and a line in the help of `blvit embed`. */
const embeddingFormats: Readonly<Record<string, EmbeddingFormat>> = {
  '.npy': {
    paths: (path) => [path, namesPath(path)],
    write: async (path, embeddings) => {
      // JSON texts, because names may hold line breaks
      const names = embeddings.map(({ name }) => (/[\r\n"]/.test(name) ? JSON.stringify(name) : name))
      await writeWholeFile(namesPath(path), names.map((name) => `${name}\n`).join(''))
      await replaceFile(path, npyChunks(embeddings))
    },
  },
  '.jsonl': {
    paths: (path) => [path],
    write: async (path, embeddings) => {
      await replaceFile(path, jsonLines(embeddings))
    },
  },
  '.csv': {
    paths: (path) => [path],
    write: async (path, embeddings) => {
      const width = embeddings[0]?.vector.length ?? 0
      const columns = ['file', ...Array.from({ length: width }, (_, i) => `${i}`)]
      const rows = embeddings.map(({ name, vector }) => [name, ...vector])
      await writeWholeFile(path, csvText(columns, rows))
    },
  },
}

/** @throws BlvitError `BAD_OPTION` for a name whose ending is none that can be written */
export function embeddingFormatOf(path: string): EmbeddingFormat {
  const format = embeddingFormats[extname(path).toLowerCase()]
  if (format) return format
  const known = Object.keys(embeddingFormats).join(', ')
  throw new BlvitError('BAD_OPTION', `${path} must end in ${known}: its ending says what is written.`, {
    known,
  })
}
