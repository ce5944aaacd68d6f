import { throwIfAborted } from '../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../base/check-options.js'
import { codeSpan } from '../../base/markdown.js'
import { seededRandom } from '../../base/random.js'
import { type Share, shareOf } from '../../base/share.js'
import { checkWholeNumbers } from '../../base/whole-number.js'
import { frontMatter, usage } from '../../model-store/model-card.js'
import type { ModelFiles } from '../../model-store/model-files.js'
import { withHead } from '../../model-store/with-head.js'
import { headScores } from '../../training/head/head.js'
import { rowsOf } from '../../training/head/labelled-features.js'
import { splitPictures } from '../../training/head/split-pictures.js'
import { Model } from '../model.js'
import { fitOn } from './fit-on.js'
import { type LayerProgress, learnLayers, type TrainingEpoch } from './learn-layers.js'
import { type ClassExamples, type SeenPicture, studyClasses, wholePictures } from './study-classes.js'
import { taughtFolder } from './taught-folder.js'
import { best, type Taught } from './teach.js'
import { type TeachOptions, type TeachProgress, teachKeys } from './teach-options.js'

export interface TeachLayersOptions extends Omit<TeachOptions, 'onProgress'> {
  /** Times that each picture is seen at most. Default 10. */
  readonly epochs?: number | undefined
  /** Ends the training early: what was best so far comes out. `signal` has nothing come out. */
  readonly stop?: AbortSignal | undefined
  readonly onProgress?: ((progress: TeachProgress | LayerProgress) => void) | undefined
}

const keys: OptionKeys<TeachLayersOptions> = { ...teachKeys, epochs: true, stop: true }

/** A model of classes of one's own all of whose layers learned. */
export interface TaughtLayers extends Taught {
  /** How often the head that it began with was right on the same pictures. */
  readonly headAccuracy: Share
  /** How it went: the head at first, then each epoch. */
  readonly epochs: readonly TrainingEpoch[]
  /** The epoch whose weights came out, 0: those of the head that it began with, as none was better. */
  readonly bestEpoch: number
}

function cardOf({ files }: Model, source: string, { accuracy, headAccuracy, bestEpoch }: CardFacts): string {
  const percent = ({ share }: Share) => `${(100 * share).toFixed(1)} %`
  return `${frontMatter(files.architecture)}

# A classifier of ${files.labels.length} classes

Taught in a browser with blvit: it began with a linear head (multinomial logistic regression) on what ${codeSpan(source)} sees; then all layers
learned, whose weights are those after epoch ${bestEpoch}. Classes: ${files.labels.map(codeSpan).join(', ')}.

Held out: ${percent(accuracy)} of ${accuracy.of} pictures right that weren't learned from. The head that it began with was right on ${percent(headAccuracy)} of the same pictures.

${usage(files.architecture)}`
}

type CardFacts = Pick<TaughtLayers, 'accuracy' | 'headAccuracy' | 'bestEpoch'>

/** What a model says of pictures, each time its best label's number. */
async function answersOf(model: Model, pictures: readonly SeenPicture[], signal: AbortSignal | undefined) {
  const inputs = pictures.map(({ input }) => input)
  const answers = await model.classify(inputs, { top: 1, signal })
  return answers.map(({ top }) => top[0]?.label)
}

/**
 * Makes a classifier of classes of one's own all of whose layers learn, from a fitted head on, as `finetune` with `layers: 'all'` does in
 * Node. A part of the pictures says which epoch was best, another how good the result is; neither is learned from.
 * @param model stays as it is, and must not be disposed before the new one. It learns on its engine: WebGPU, or WebAssembly, which takes
 *   three to four times as long for a picture as a run of it does
 * @throws BlvitError as {@link teach}; `ENGINE` also where the device has too little memory, or the loss is no number any more
 */
export async function teachLayers(
  model: Model,
  classes: readonly ClassExamples[],
  options: TeachLayersOptions = {},
): Promise<TaughtLayers> {
  checkOptions('option of teachLayers', options, keys)
  const { epochs = 10, seed = 0, signal, stop, onProgress } = options
  checkWholeNumbers({ epochs })
  const studied = await studyClasses(model, classes, {
    signal,
    onLook: (done, total) => onProgress?.({ phase: 'features', done, total }),
  })
  const { labels, rows, failures, features, groups } = studied
  const split = splitPictures(features.labels, groups, seededRandom(seed, 'parts'))
  const seen = (numbers: readonly number[]) => numbers.flatMap((row) => rows[row] ?? [])
  const { head } = await fitOn(split.learn, studied, { model, ...options })
  throwIfAborted(signal)
  const start = await withHead(wholePictures(model), { labels, scores: 'softmax', ...head })
  const modelOf = (files: ModelFiles) => new Model('yours', files, model.engine, model.engineOptions)
  const learned = await learnLayers(start, {
    ...{ epochs, seed, signal, stop, onProgress, modelOf },
    learn: seen(split.learn),
    validate: seen(split.validate),
    runtime: model.engine.runtime,
    threads: model.engineOptions.threads,
    decoder: model.engineOptions.decoder,
  })
  const tested = rowsOf(features, split.test)
  const byHead = headScores(head, tested, 'softmax')
  const isRight = split.test.map((row, at) => {
    const scores = byHead.subarray(at * labels.length, (at + 1) * labels.length)
    return best(scores) === rows[row]?.label
  })
  const made = modelOf(learned.files)
  const answers = await answersOf(made, seen(split.test), signal)
  const tried = new Map(split.test.map((row, at) => [row, answers[at]]))
  const facts = {
    accuracy: shareOf(
      split.test.filter((row) => labels[rows[row]?.label ?? -1] === tried.get(row)).length,
      split.test.length,
    ),
    headAccuracy: shareOf(isRight.filter(Boolean).length, isRight.length),
    bestEpoch: learned.bestEpoch,
  }
  return {
    ...facts,
    model: made,
    epochs: learned.epochs,
    pictures: [...rows.map(({ picture }, row) => ({ ...picture, answer: tried.get(row) })), ...failures],
    contents: () => taughtFolder(learned.files, cardOf(made, model.name, facts)),
  }
}
