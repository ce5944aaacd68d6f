import { checkOptions } from '../../base/check-options.js'
import { codeSpan } from '../../base/markdown.js'
import { type Share, shareOf } from '../../base/share.js'
import { frontMatter, usage } from '../../model-store/model-card.js'
import { withHead } from '../../model-store/with-head.js'
import { Model } from '../model.js'
import { fitOn } from './fit-on.js'
import { type ClassExamples, studyClasses, type TaughtPicture, wholePictures } from './study-classes.js'
import { taughtFolder } from './taught-folder.js'
import { type TeachOptions, teachKeys } from './teach-options.js'

/** A model of classes of one's own, and how good it is. */
export interface Taught {
  /** Answers with the new classes; to be disposed by whoever asked for it. */
  readonly model: Model
  /** How often it was right on pictures that it hadn't learned from: a head by heads that learned from fewer. */
  readonly accuracy: Share
  readonly pictures: readonly TaughtPicture[]
  /** Its folder, file by file: for `blvit classify --model`, and for transformers.js, which reads `onnx/model.onnx`. */
  contents(): Promise<Readonly<Record<string, Uint8Array<ArrayBuffer>>>>
}

/** The number of the best class. */
export function best(scores: Float32Array): number {
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
  const { signal, onProgress } = options
  const studied = await studyClasses(model, classes, {
    signal,
    onLook: (done, total) => onProgress?.({ phase: 'features', done, total }),
  })
  const { labels, rows, failures } = studied
  const { head, heldOutScores } = await fitOn(
    rows.map((_, row) => row),
    studied,
    { model, ...options },
  )
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
