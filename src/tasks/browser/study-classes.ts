import { BlvitError, throwIfAborted } from '../../base/blvit-error.js'
import type { ImageInput } from '../../image/image-input.js'
import type { ModelFiles } from '../../model-store/model-files.js'
import { headInput } from '../../problems/head-input.js'
import { checkCounts } from '../../training/head/check-counts.js'
import { findDoubles, groupsOf } from '../../training/head/doubles.js'
import type { LabelledFeatures } from '../../training/head/labelled-features.js'
import { Model } from '../model.js'

/** A class and pictures that show it. */
export interface ClassExamples {
  readonly label: string
  readonly pictures: readonly ImageInput[]
}

/** A picture that was given, by its class and its place in it. */
export interface TaughtPicture {
  readonly label: string
  /** From 0. */
  readonly index: number
  /** What a model said of it that hadn't learned from it; undefined: it couldn't be read, or there was no such model. */
  readonly answer?: string | undefined
  /** Why it was left out. */
  readonly failure?: string | undefined
}

/** What a model saw of pictures, for as long as both are there: the next teaching looks at new ones only. */
const seen = new WeakMap<Model, WeakMap<object, Float32Array>>()

function vectorsOf(model: Model): WeakMap<object, Float32Array> {
  const vectors = seen.get(model) ?? new WeakMap<object, Float32Array>()
  seen.set(model, vectors)
  return vectors
}

/** What the same model is made of where it sees pictures to their rims: classes of one's own fill them. */
export function wholePictures({ files }: Model): ModelFiles {
  return { ...files, preprocessing: { ...files.preprocessing, cropRatio: 1 } }
}

/** A picture that was looked at. */
export interface SeenPicture {
  readonly picture: TaughtPicture
  readonly input: ImageInput
  readonly vector: Float32Array
  readonly label: number
}

interface StudyOptions {
  readonly signal?: AbortSignal | undefined
  readonly onLook?: ((done: number, total: number) => void) | undefined
}

/** @throws BlvitError `ABORTED`, `ENGINE` */
async function look(
  model: Model,
  classes: readonly ClassExamples[],
  { signal, onLook }: StudyOptions,
): Promise<{
  readonly rows: readonly SeenPicture[]
  readonly failures: readonly (TaughtPicture & { failure: string })[]
}> {
  const { name: modelName, engine, engineOptions } = model
  const vectors = vectorsOf(model)
  await using whole = new Model(modelName, wholePictures(model), engine, engineOptions)
  const total = classes.reduce((sum, { pictures }) => sum + pictures.length, 0)
  const rows: SeenPicture[] = []
  const failures: (TaughtPicture & { failure: string })[] = []
  for (const [label, { label: name, pictures }] of classes.entries()) {
    for (const [index, input] of pictures.entries()) {
      throwIfAborted(signal)
      const picture = { label: name, index }
      try {
        const key = typeof input === 'object' ? input : {}
        const vector = vectors.get(key) ?? (await whole.answer(headInput, input, { signal }))[0]?.answer
        if (!vector) throw new Error('blvit bug: no answer')
        vectors.set(key, vector)
        rows.push({ picture, input, vector, label })
      } catch (thrown) {
        if (!(thrown instanceof BlvitError) || thrown.code !== 'BAD_IMAGE') throw thrown
        failures.push({ ...picture, failure: thrown.message })
      }
      onLook?.(rows.length + failures.length, total)
    }
  }
  return { rows, failures }
}

/** @throws BlvitError `BAD_DATA` for classes that nothing can be learned from */
function checkClasses(classes: readonly ClassExamples[]): void {
  const labels = classes.map(({ label }) => label.trim())
  if (labels.length < 2) {
    const message = 'A classifier needs two classes: put pictures of anything else into a second one.'
    throw new BlvitError('BAD_DATA', message)
  }
  if (labels.includes('')) throw new BlvitError('BAD_DATA', 'A class has no name. Give it one.')
  const twice = labels.find((label, at) => labels.indexOf(label) !== at)
  if (twice !== undefined)
    throw new BlvitError('BAD_DATA', `Two classes are named "${twice}". Give them different names.`)
}

/** @throws BlvitError `BAD_DATA` for a picture that is there in two classes */
function checkContradictions(rows: readonly SeenPicture[], keys: readonly string[]): void {
  const classOf = new Map<string, TaughtPicture>()
  for (const [at, { picture }] of rows.entries()) {
    const other = classOf.get(keys[at] ?? '')
    if (other && other.label !== picture.label) {
      const message = `The same picture is in "${other.label}" (number ${other.index + 1}) and in "${picture.label}" (number ${picture.index + 1}). Keep it in one class.`
      throw new BlvitError('BAD_DATA', message)
    }
    classOf.set(keys[at] ?? '', picture)
  }
}

function matrixOf(rows: readonly SeenPicture[]): LabelledFeatures {
  const inputs = rows[0]?.vector.length ?? 0
  const values = new Float32Array(rows.length * inputs)
  for (const [row, { vector }] of rows.entries()) values.set(vector, row * inputs)
  return { count: rows.length, inputs, values, labels: rows.map(({ label }) => [label]) }
}

/** Classes of one's own, as a model sees their pictures. */
export interface StudiedClasses {
  readonly labels: readonly string[]
  readonly rows: readonly SeenPicture[]
  /** Pictures that can't be used. */
  readonly failures: readonly TaughtPicture[]
  /** A row for each of `rows`. */
  readonly features: LabelledFeatures
  /** A number for each picture; those with the same show the same, or nearly. */
  readonly groups: ArrayLike<number>
}

/**
 * Looks at the pictures of classes, once at each, and at whether anything can be learned from them.
 * @throws BlvitError `BAD_DATA`, `ENGINE`, `ABORTED`
 */
export async function studyClasses(
  model: Model,
  classes: readonly ClassExamples[],
  options: StudyOptions,
): Promise<StudiedClasses> {
  checkClasses(classes)
  const labels = classes.map(({ label }) => label.trim())
  const { rows, failures } = await look(model, classes, options)
  // pictures of the same content look the same
  const keys = rows.map(({ vector }) => vector.join())
  checkContradictions(rows, keys)
  const counts = labels.map((_, at) => new Set(keys.filter((_, row) => rows[row]?.label === at)).size)
  const complaints = failures.map(({ failure }) => ({ message: failure }))
  checkCounts(labels, counts, complaints)
  const features = matrixOf(rows)
  const doubles = await findDoubles(features, { signal: options.signal })
  return { labels, rows, failures, features, groups: groupsOf(doubles, keys, features.labels) }
}
