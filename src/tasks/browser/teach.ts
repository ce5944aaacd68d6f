import { BlvitError, throwIfAborted } from '../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../base/check-options.js'
import { codeSpan } from '../../base/markdown.js'
import { seededRandom } from '../../base/random.js'
import { type Share, shareOf } from '../../base/share.js'
import type { ImageInput } from '../../image/image-input.js'
import { frontMatter, usage } from '../../model-store/model-card.js'
import type { ModelFiles } from '../../model-store/model-files.js'
import { withHead } from '../../model-store/with-head.js'
import { headInput } from '../../problems/head-input.js'
import { chooseBrowserRuntime } from '../../runtime/browser.js'
import { checkCounts } from '../../training/head/check-counts.js'
import { findDoubles, groupsOf } from '../../training/head/doubles.js'
import { fitHead } from '../../training/head/fit-head.js'
import type { LabelledFeatures } from '../../training/head/labelled-features.js'
import { Model } from '../model.js'
import { taughtFolder } from './taught-folder.js'

/** A class and pictures that show it. */
export interface ClassExamples {
  readonly label: string
  readonly pictures: readonly ImageInput[]
}

/** How far a teaching has come. */
export interface TeachProgress {
  /** `features`: pictures looked at; `head`: fits of the head, of each fold and the last one of all pictures. */
  readonly phase: 'features' | 'head'
  readonly done: number
  readonly total: number
}

export interface TeachOptions {
  /** Parts that the pictures are shared out among: each is answered by a head that learned from the others. Default 5. */
  readonly folds?: number | undefined
  /** Let pictures of classes with few count more, so that all classes count alike. Default true. */
  readonly balance?: boolean | undefined
  /** Of the order in which pictures are shared out. Default 0. */
  readonly seed?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: TeachProgress) => void) | undefined
}

const teachKeys: OptionKeys<TeachOptions> = {
  folds: true,
  balance: true,
  seed: true,
  signal: true,
  onProgress: true,
}

/** A picture that was given, by its class and its place in it. */
export interface TaughtPicture {
  readonly label: string
  /** From 0. */
  readonly index: number
  /** What a head said of it that hadn't learned from it; undefined: it couldn't be read. */
  readonly answer?: string | undefined
  /** Why it was left out. */
  readonly failure?: string | undefined
}

/** A model of classes of one's own, and how good it is. */
export interface Taught {
  /** Answers with the new classes; to be disposed by whoever asked for it. */
  readonly model: Model
  /** How often heads were right on pictures that they hadn't learned from. */
  readonly accuracy: Share
  readonly pictures: readonly TaughtPicture[]
  /** Its folder, file by file: for `blvit classify --model`, and for transformers.js, which reads `onnx/model.onnx`. */
  contents(): Promise<Readonly<Record<string, Uint8Array<ArrayBuffer>>>>
}

/** What a model saw of pictures, for as long as both are there: the next teaching looks at new ones only. */
const seen = new WeakMap<Model, WeakMap<object, Float32Array>>()

function vectorsOf(model: Model): WeakMap<object, Float32Array> {
  const vectors = seen.get(model) ?? new WeakMap<object, Float32Array>()
  seen.set(model, vectors)
  return vectors
}

/** What the same model is made of where it sees pictures to their rims: classes of one's own fill them. */
function wholePictures({ files }: Model): ModelFiles {
  return { ...files, preprocessing: { ...files.preprocessing, cropRatio: 1 } }
}

interface Row {
  readonly picture: TaughtPicture
  readonly vector: Float32Array
  readonly label: number
}

/** @throws BlvitError `ABORTED`, `ENGINE` */
async function look(
  model: Model,
  classes: readonly ClassExamples[],
  { signal, onProgress }: TeachOptions,
): Promise<{
  readonly rows: readonly Row[]
  readonly failures: readonly (TaughtPicture & { failure: string })[]
}> {
  const { name: modelName, engine, engineOptions } = model
  const vectors = vectorsOf(model)
  await using whole = new Model(modelName, wholePictures(model), engine, engineOptions)
  const total = classes.reduce((sum, { pictures }) => sum + pictures.length, 0)
  const rows: Row[] = []
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
        rows.push({ picture, vector, label })
      } catch (thrown) {
        if (!(thrown instanceof BlvitError) || thrown.code !== 'BAD_IMAGE') throw thrown
        failures.push({ ...picture, failure: thrown.message })
      }
      onProgress?.({ phase: 'features', done: rows.length + failures.length, total })
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
function checkContradictions(rows: readonly Row[], keys: readonly string[]): void {
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

function matrixOf(rows: readonly Row[]): LabelledFeatures {
  const inputs = rows[0]?.vector.length ?? 0
  const values = new Float32Array(rows.length * inputs)
  for (const [row, { vector }] of rows.entries()) values.set(vector, row * inputs)
  return { count: rows.length, inputs, values, labels: rows.map(({ label }) => [label]) }
}

function best(scores: Float32Array): number {
  return scores.reduce((most, score, at) => (score > (scores[most] ?? 0) ? at : most), 0)
}

function cardOf({ files }: Model, source: string, { of, share }: Share): string {
  return `${frontMatter(files.architecture)}

# A classifier of ${files.labels.length} classes

Taught in a browser with blvit: a linear head (multinomial logistic regression) on what ${codeSpan(source)} sees, whose other
weights are as they were. Classes: ${files.labels.map(codeSpan).join(', ')}.

Cross-validation on its ${of} pictures: ${(100 * share).toFixed(1)} % right, by heads that hadn't learned from the picture they answered.

${usage(files.architecture)}`
}

/**
 * Makes a classifier of classes of one's own: a linear head on what a model already sees, fitted to the pictures, and tried
 * on pictures that it didn't learn from. As `finetune` does in Node; what was seen of a picture object is kept for the next call.
 * @param model stays as it is, and must not be disposed before the new one
 * @throws BlvitError `BAD_DATA` for classes without enough different pictures, `BAD_OPTION`, `ENGINE`, `ABORTED`
 * @example
 * const { model: mine, accuracy } = await teach(model, [
 *   { label: 'mug', pictures: mugs },
 *   { label: 'plate', pictures: plates },
 * ])
 */
export async function teach(
  model: Model,
  classes: readonly ClassExamples[],
  options: TeachOptions = {},
): Promise<Taught> {
  checkOptions('option of teach', options, teachKeys)
  checkClasses(classes)
  const { folds = 5, balance = true, seed = 0, signal, onProgress } = options
  const labels = classes.map(({ label }) => label.trim())
  const { rows, failures } = await look(model, classes, options)
  // pictures of the same content look the same
  const keys = rows.map(({ vector }) => vector.join())
  checkContradictions(rows, keys)
  const counts = labels.map((_, at) => new Set(keys.filter((_, row) => rows[row]?.label === at)).size)
  checkCounts(
    labels,
    counts,
    failures.map(({ failure }) => ({ message: failure })),
  )
  const features = matrixOf(rows)
  const doubles = await findDoubles(features, { signal })
  // its graph has sizes that only running tells, which WebGPU doesn't take, and is small
  const { runtime } = await chooseBrowserRuntime('wasm')
  const { head, heldOutScores } = await fitHead(runtime, features, {
    ...{ classes: labels.length, scores: 'softmax', folds, balance, signal },
    threads: model.engineOptions.threads,
    groups: groupsOf(doubles, keys, features.labels),
    random: seededRandom(seed, 'folds'),
    onFit: (done, total) => onProgress?.({ phase: 'head', done, total }),
  })
  const files = await withHead(wholePictures(model), { labels, scores: 'softmax', ...head })
  const made = new Model('yours', files, model.engine, model.engineOptions)
  const tried = rows.map(({ picture }, row) => {
    const scores = heldOutScores.subarray(row * labels.length, (row + 1) * labels.length)
    return { ...picture, answer: labels[best(scores)] }
  })
  const accuracy = shareOf(tried.filter(({ label, answer }) => label.trim() === answer).length, tried.length)
  return {
    model: made,
    accuracy,
    pictures: [...tried, ...failures],
    contents: () => taughtFolder(files, cardOf(made, model.name, accuracy)),
  }
}
