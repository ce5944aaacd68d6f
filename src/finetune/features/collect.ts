import { createHash } from 'node:crypto'
import { BlvitError, throwIfAborted } from '../../base/blvit-error.js'
import type { DataItem, DataSet, Sample } from '../../data/data-set.js'
import { readImageFile } from '../../image/node/image-source.js'
import { headInput } from '../../problems/head-input.js'
import type { Settings } from '../../settings/settings.js'
import type { Model } from '../../tasks/model.js'
import { answerBatches, type NamedPicture } from '../../tasks/node/answer-many.js'
import type { FeatureCache } from './feature-cache.js'

/** A labelled picture as a vector. */
export interface FeaturePicture {
  readonly name: string
  /** SHA-256 of its content: of the file, or of its pixels where it comes as such. */
  readonly hash: string
  readonly labels: readonly number[]
  readonly vector: Float32Array
}

/** A picture that can't be used, and why. */
export interface Failure {
  readonly name: string
  readonly code: string
  readonly message: string
}

export interface Collected {
  readonly pictures: readonly FeaturePicture[]
  readonly failures: readonly Failure[]
  /** Pictures that nobody labelled. */
  readonly unlabelled: number
  /** Vectors that came from the cache. */
  readonly cached: number
}

export interface CollectProgress {
  readonly done: number
  /** An estimate where only reading everything would tell. */
  readonly total: number
  readonly cached: number
}

export interface CollectOptions {
  readonly cache: FeatureCache | undefined
  readonly settings: Settings
  /** Pictures per run of the engine. */
  readonly batch: number
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: CollectProgress) => void) | undefined
}

interface Read {
  readonly picture: Omit<FeaturePicture, 'vector'>
  readonly source: NamedPicture['source']
}

async function contentOf(
  { source, name }: Sample,
  signal: AbortSignal | undefined,
): Promise<{ hash: string; source: NamedPicture['source'] }> {
  const hash = createHash('sha256')
  if (typeof source === 'string') {
    const bytes = await readImageFile(source, signal)
    return { hash: hash.update(bytes).digest('hex'), source: bytes }
  }
  if (source instanceof Uint8Array) return { hash: hash.update(source).digest('hex'), source }
  const { width, height, values } = source
  if (values.length === 0) throw new BlvitError('BAD_IMAGE', `${name} has no pixels.`)
  return { hash: hash.update(`${width} × ${height}`).update(values).digest('hex'), source }
}

function labelsOf({ label, labels }: Sample): readonly number[] | undefined {
  return labels ?? (label === undefined ? undefined : [label])
}

/** What the head of a model reads of each labelled picture of a data set. @throws BlvitError `ABORTED`, `ENGINE` */
export async function collectFeatures(
  model: Model,
  dataSet: DataSet,
  { cache, settings, batch, signal, onProgress }: CollectOptions,
): Promise<Collected> {
  const order: Omit<FeaturePicture, 'vector'>[] = []
  const vectors = new Map<string, Float32Array>()
  const failures: Failure[] = []
  const unreadable = new Map<string, { code: string; message: string }>()
  let [unlabelled, cached, seen, total] = [0, 0, 0, dataSet.size ?? 0]
  const fail = (name: string, { code, message }: { code: string; message: string }) => {
    failures.push({ name, code, message })
  }
  const read = async (item: DataItem): Promise<Read | undefined> => {
    if ('error' in item) return void fail(item.name, item.error)
    const labels = labelsOf(item)
    if (!labels) {
      unlabelled += 1
      return undefined
    }
    try {
      const { hash, source } = await contentOf(item, signal)
      return { picture: { name: item.name, hash, labels }, source }
    } catch (thrown) {
      if (!(thrown instanceof BlvitError)) throw thrown
      return void fail(item.name, thrown)
    }
  }
  /** Hashes that the engine has been given and hasn't answered yet, in order. */
  const asked: string[] = []
  const known = new Set<string>()
  async function* unknown(): AsyncGenerator<NamedPicture> {
    for await (const item of dataSet.items({ signal })) {
      throwIfAborted(signal)
      seen += 1
      if (dataSet.size === undefined && item.readShare) total = Math.round(seen / item.readShare)
      const found = await read(item)
      if (!found) continue
      const { picture, source } = found
      order.push(picture)
      if (known.has(picture.hash)) continue
      known.add(picture.hash)
      const vector = cache?.get(picture.hash)
      if (vector) {
        vectors.set(picture.hash, vector)
        cached += 1
        onProgress?.({ done: vectors.size, total: Math.max(total, vectors.size), cached })
        continue
      }
      asked.push(picture.hash)
      yield { name: picture.name, source }
    }
  }
  const options = { ...settings, batch, ...(signal && { signal }) }
  for await (const answers of answerBatches(model, headInput, unknown(), options)) {
    for (const answered of answers) {
      const hash = asked.shift() ?? ''
      if ('error' in answered) unreadable.set(hash, answered.error)
      else {
        vectors.set(hash, answered.answer)
        await cache?.add(hash, answered.answer)
      }
    }
    onProgress?.({ done: vectors.size, total: Math.max(total, vectors.size), cached })
  }
  const pictures = order.flatMap((picture) => {
    const vector = vectors.get(picture.hash)
    if (vector) return [{ ...picture, vector }]
    const error = unreadable.get(picture.hash)
    if (error) fail(picture.name, error)
    return []
  })
  return { pictures, failures, unlabelled, cached }
}
