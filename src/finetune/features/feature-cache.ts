import { createHash } from 'node:crypto'
import { type FileHandle, open, readdir, readFile, rm, stat, truncate, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { BlvitError, messageOf } from '../../base/blvit-error.js'
import { cacheFolder } from '../../files/cache-folder.js'

/** What all files of the cache may take together: a million pictures of a ViT-Tiny. Those that weren't used longest go. */
const maxCacheBytes = 1_000_000_000

const hashBytes = 32
const checksumBytes = 8
/** Records that are written at once: what a kill can lose. */
const recordsPerWrite = 64

/**
 * The vectors of pictures by the hash of their content, in a file that is only appended to: for one model at one setting.
 * A record is the hash, the vector in float32 and a checksum of both; a last one that was cut off is made again.
 */
export class FeatureCache implements AsyncDisposable {
  private waiting: Buffer[] = []

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    private readonly vectors: Map<string, Float32Array>,
    private sizeBytes: number,
  ) {}

  /**
   * @param key tells models and settings apart
   * @param options `inputs`: the length of a vector
   * @throws BlvitError `WRITE_FAILED`
   */
  static async open(key: string, { inputs }: { readonly inputs: number }): Promise<FeatureCache> {
    const name = createHash('sha256').update(`${key} ${inputs}`).digest('hex').slice(0, 32)
    const path = join(await cacheFolder('features'), `${name}.f32`)
    try {
      const bytes = await readFile(path).catch((thrown: NodeJS.ErrnoException) => {
        if (thrown.code === 'ENOENT') return Buffer.alloc(0)
        throw thrown
      })
      const { vectors, soundBytes } = readRecords(bytes, inputs)
      if (soundBytes < bytes.length) await truncate(path, soundBytes)
      const file = await open(path, 'a')
      return new FeatureCache(path, file, vectors, soundBytes)
    } catch (cause) {
      throw unusable(path, cause)
    }
  }

  get(hash: string): Float32Array | undefined {
    return this.vectors.get(hash)
  }

  /** @throws BlvitError `WRITE_FAILED` */
  async add(hash: string, vector: Float32Array): Promise<void> {
    const record = recordOf(hash, vector)
    if (this.sizeBytes + record.length > maxCacheBytes) return
    this.sizeBytes += record.length
    this.waiting.push(record)
    if (this.waiting.length >= recordsPerWrite) await this.flush()
  }

  private async flush(): Promise<void> {
    const records = Buffer.concat(this.waiting)
    this.waiting = []
    try {
      await this.file.appendFile(records)
    } catch (cause) {
      throw unusable(this.path, cause)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.flush()
      await utimes(this.path, new Date(), new Date())
      await removeOldest(join(this.path, '..'), this.path)
    } finally {
      await this.file.close()
    }
  }
}

function checksumOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest().subarray(0, checksumBytes)
}

function recordOf(hash: string, vector: Float32Array): Buffer {
  const floats = Buffer.alloc(4 * vector.length)
  vector.forEach((value, i) => {
    floats.writeFloatLE(value, 4 * i)
  })
  const content = Buffer.concat([Buffer.from(hash, 'hex'), floats])
  return Buffer.concat([content, checksumOf(content)])
}

function readRecords(bytes: Buffer, inputs: number) {
  const contentBytes = hashBytes + 4 * inputs
  const recordBytes = contentBytes + checksumBytes
  const vectors = new Map<string, Float32Array>()
  let soundBytes = 0
  for (; soundBytes + recordBytes <= bytes.length; soundBytes += recordBytes) {
    const content = bytes.subarray(soundBytes, soundBytes + contentBytes)
    const checksum = bytes.subarray(soundBytes + contentBytes, soundBytes + recordBytes)
    if (!checksumOf(content).equals(checksum)) break
    const vector = new Float32Array(inputs)
    for (let i = 0; i < inputs; i++) vector[i] = content.readFloatLE(hashBytes + 4 * i)
    vectors.set(content.toString('hex', 0, hashBytes), vector)
  }
  return { vectors, soundBytes }
}

/** Deletes the files that weren't used longest until the rest is within the limit. */
async function removeOldest(folder: string, kept: string): Promise<void> {
  const paths = (await readdir(folder))
    .filter((name) => name.endsWith('.f32'))
    .map((name) => join(folder, name))
  const files = await Promise.all(
    paths.map(async (path) => {
      const status = await stat(path).catch(() => undefined)
      return { path, sizeBytes: status?.size ?? 0, usedMs: status?.mtimeMs ?? 0 }
    }),
  )
  let total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  for (const { path, sizeBytes } of files.sort((a, b) => a.usedMs - b.usedMs)) {
    if (total <= maxCacheBytes) return
    if (path === kept) continue
    await rm(path, { force: true })
    total -= sizeBytes
  }
}

function unusable(path: string, cause: unknown): BlvitError {
  const message = `The cache of features ${path} can't be used: ${messageOf(cause)}. Do without it (cache: false, --no-cache).`
  return new BlvitError('WRITE_FAILED', message, { path }, { cause })
}
