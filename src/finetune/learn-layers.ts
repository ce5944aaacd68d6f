import { seededRandom } from '../base/random.js'
import type { DataSet } from '../data/data-set.js'
import { nodeDecoder } from '../image/node/decode.js'
import type { ModelFiles } from '../model-store/model-files.js'
import { withHead } from '../model-store/with-head.js'
import { classify } from '../problems/classify.js'
import { labelResults } from '../problems/label-results.js'
import { fineTune, fineTunePatience, fineTuneSeveral } from '../recipes/fine-tune.js'
import { adjusted, recipeSchema } from '../recipes/recipe.js'
import { chooseRuntime } from '../runtime/node/choose.js'
import { settingsOf } from '../settings/settings.js'
import { Model } from '../tasks/model.js'
import { answerBatches, type NamedPicture } from '../tasks/node/answer-many.js'
import { trainModel } from '../trainer/train.js'
import { headScores } from '../training/head/head.js'
import { rowsOf } from '../training/head/labelled-features.js'
import { splitPictures } from '../training/head/split-pictures.js'
import type { FinetuneOptions } from './finetune-options.js'
import { fitOn, type Learned, type LearningTask } from './learn-head.js'
import { accuracyOf, confusionOf } from './report/assess.js'

/** What a model says of some pictures of a data set. @returns `[pictures, classes]` in the order of the names */
async function scoresOn(
  files: ModelFiles,
  dataSet: DataSet,
  { names, options }: { readonly names: readonly string[]; readonly options: FinetuneOptions },
): Promise<Float32Array> {
  const { device, threads, batch, signal } = options
  await using model = new Model('the fine-tuned model', files, await chooseRuntime(device), {
    ...{ threads, decoder: nodeDecoder },
  })
  const classes = files.labels.length
  const rows = new Map(names.map((name, row) => [name, row]))
  const scores = new Float32Array(names.length * classes)
  async function* wanted(): AsyncGenerator<NamedPicture> {
    for await (const item of dataSet.items({ signal }))
      if ('source' in item && rows.has(item.name)) yield item
  }
  const asked = {
    ...settingsOf(options),
    top: Number.POSITIVE_INFINITY,
    batch,
    expected: names.length,
    ...(signal && { signal }),
  }
  for await (const answers of answerBatches(model, classify, wanted(), asked)) {
    for (const picture of answers) {
      if ('error' in picture) throw picture.error
      const row = rows.get(picture.name) ?? 0
      for (const { index, probability } of picture.answer) scores[row * classes + index] = probability
    }
  }
  return scores
}

/**
 * A head for a part of the pictures, and from there on all layers. The best weights by a second part come out, those that it
 * began with among them; a third part tells how good they are.
 * @throws BlvitError as `train`
 */
export async function learnLayers(task: LearningTask): Promise<Learned> {
  const { base, labels, scores, data, dataSet, collected, features, groups, options } = task
  const { output, overwrite, resume, device, threads, workers, signal, onProgress } = options
  const { epochs = 10, seed = 0 } = options
  const { pictures, failures } = collected
  const split = splitPictures(features.labels, groups, seededRandom(seed, 'parts'))
  const names = (rows: readonly number[]) => rows.map((row) => pictures[row]?.name ?? '')
  const { head, penalty } = await fitOn(split.learn, task)
  const tested = rowsOf(features, split.test)
  const byHead = { classes: labels, labels: tested.labels, scores: headScores(head, tested, scores) }
  const headAccuracy = scores === 'sigmoid' ? labelResults(byHead).exact : accuracyOf(confusionOf(byHead))
  const start = { ...base, files: await withHead(base.files, { labels, scores, ...head }) }
  const recipe = adjusted(recipeSchema.parse(scores === 'sigmoid' ? fineTuneSeveral : fineTune), {
    pictures: epochs * split.learn.length,
  })
  const stepsPerEpoch = Math.max(1, Math.round(split.learn.length / (recipe.stages[0]?.batch ?? 1)))
  const { files } = await trainModel(start, data, recipe, {
    ...{ output, overwrite, resume, seed, device, threads, workers, signal },
    patience: fineTunePatience,
    ...{ validateFirst: true, validateEvery: stepsPerEpoch, checkpointEvery: stepsPerEpoch },
    validationNames: names(split.validate),
    without: [...names(split.test), ...failures.map(({ name }) => name)],
    onNote: options.onNote,
    onStep: (step) => onProgress?.({ phase: 'layers', step }),
    onValidation: (validation) => onProgress?.({ phase: 'validation', validation }),
  })
  const tried = {
    pictures: split.test.flatMap((row) => pictures[row] ?? []),
    scores: await scoresOn(files, dataSet, { names: names(split.test), options }),
  }
  return { files, penalty, tried, headAccuracy }
}
