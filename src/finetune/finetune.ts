import { basename, resolve } from 'node:path'
import type { OwnClasses } from '../data/class-names.js'
import type { DataSet } from '../data/data-set.js'
import { openDataSet, ownClasses } from '../data/open-data-set.js'
import { checkTarget } from '../files/replace-folder.js'
import { nodeDecoder } from '../image/node/decode.js'
import { modelFingerprint } from '../model-store/fingerprint.js'
import type { ModelFiles } from '../model-store/model-files.js'
import { type NamedModel, openNamed } from '../model-store/node/named-model.js'
import { writeModelFolder } from '../model-store/node/write-model-folder.js'
import { withClasses } from '../model-store/with-head.js'
import { chooseRuntime } from '../runtime/node/choose.js'
import { resolveSettings } from '../settings/resolve.js'
import { settingsOf } from '../settings/settings.js'
import { Model } from '../tasks/model.js'
import { TrainingFolder } from '../trainer/training-folder.js'
import { checkCounts } from '../training/head/check-counts.js'
import { findDoubles, groupsOf } from '../training/head/doubles.js'
import type { LabelledFeatures } from '../training/head/labelled-features.js'
import { type DownloadOptions, downloadKeys } from '../weights/node/hub/download-model.js'
import { checkClasses } from './check-classes.js'
import { type Collected, collectFeatures } from './features/collect.js'
import { withoutContradictions } from './features/contradictions.js'
import { FeatureCache } from './features/feature-cache.js'
import { checkFinetuneOptions, type FinetuneOptions } from './finetune-options.js'
import { learnHead } from './learn-head.js'
import { learnLayers } from './learn-layers.js'
import { finetuneCard } from './report/card.js'
import { type FinetuneReport, makeReport } from './report/report.js'
import { checkReportFolder, filesOfReport, writeReport } from './report/report-folder.js'

/** What came of a fine-tuning. */
export interface Finetuned {
  /** The folder that was written. */
  readonly output: string
  readonly report: FinetuneReport
}

/** How the base comes from the hub. */
function downloadOf(options: FinetuneOptions): DownloadOptions {
  const asked = Object.entries(options).filter(([key]) => Object.hasOwn(downloadKeys, key))
  return { ...Object.fromEntries(asked), onProgress: options.onDownload }
}

/** @throws BlvitError `ABORTED`, `ENGINE` */
async function featuresOf(
  base: NamedModel,
  files: ModelFiles,
  { dataSet, options }: { readonly dataSet: DataSet; readonly options: FinetuneOptions },
): Promise<Collected> {
  const { device, threads, batch, signal, onProgress, cache: isCached = true } = options
  const settings = settingsOf(options)
  await using model = new Model(base.name, files, await chooseRuntime(device), {
    threads,
    decoder: nodeDecoder,
  })
  const { heads } = files.architecture.facts
  const inputs = heads.reduce(
    (sum, name) => sum + (files.weights.get(`${name}.weight`)?.shape.at(-1) ?? 0),
    0,
  )
  const key = `${await modelFingerprint(base.files)} ${model.resolve(settings).key} ${model.engine.runtime.description}`
  await using cache = isCached ? await FeatureCache.open(key, { inputs }) : undefined
  return await collectFeatures(model, dataSet, {
    ...{ cache, settings, batch, signal },
    onProgress: (progress) => onProgress?.({ phase: 'features', ...progress }),
  })
}

function matrixOf(pictures: Collected['pictures']): LabelledFeatures {
  const inputs = pictures[0]?.vector.length ?? 0
  const values = new Float32Array(pictures.length * inputs)
  for (const [row, { vector }] of pictures.entries()) values.set(vector, row * inputs)
  return { count: pictures.length, inputs, values, labels: pictures.map(({ labels }) => labels) }
}

/** How many different pictures each class has. */
function differentPictures({ labels }: OwnClasses, pictures: Collected['pictures']): number[] {
  const seen = labels.map(() => new Set<string>())
  for (const { hash, labels: own } of pictures) for (const label of own) seen[label]?.add(hash)
  return seen.map(({ size }) => size)
}

/** Everything that can be known to be wrong before the first picture is read. */
async function checkBefore(
  options: FinetuneOptions,
  classes: OwnClasses,
  data: readonly string[],
): Promise<void> {
  const { layers, report, resume = false, overwrite = false, output } = options
  if (report !== undefined) await checkReportFolder(report, overwrite)
  checkClasses(classes, data)
  if (layers === 'all') await TrainingFolder.check(output, { resume, overwrite })
}

/**
 * Makes a classifier of classes of one's own: a linear head on what a model already sees, fitted to the labelled pictures,
 * and tried on pictures that it didn't learn from. With `layers: 'all'` the whole model goes on learning from there.
 * @param model what to start from: a shipped name, a folder, or an id of the Hugging Face hub
 * @param data labelled pictures: a folder with a folder for each class, labels.csv, tars, CIFAR-10; globs too
 * @throws BlvitError `NOT_FOUND`, `BAD_DATA`, `BAD_OPTION`, `BAD_CONFIG`, `BAD_WEIGHTS`, `WRITE_FAILED`, `ENGINE`; `ABORTED`:
 *   nothing is written then, but features are kept for the next time
 * @example
 * const { report } = await finetune('vit-tiny', 'photos/', { output: 'mine' })
 */
export async function finetune(
  model: string,
  data: string | readonly string[],
  options: FinetuneOptions,
): Promise<Finetuned> {
  checkFinetuneOptions(options)
  const { output, overwrite = false, seed = 0, signal, cropRatio = 1, layers = 'head' } = options
  const paths = typeof data === 'string' ? [data] : data
  await checkTarget(output, overwrite)
  const classes = await ownClasses(paths)
  await checkBefore(options, classes, paths)
  const { labels, several } = classes
  const opened = await openNamed(model, downloadOf(options))
  const preprocessing = { ...opened.files.preprocessing, cropRatio }
  const base = { ...opened, files: { ...opened.files, preprocessing } }
  const scores = several === undefined ? 'softmax' : 'sigmoid'
  const started = await withClasses(base.files, { labels, scores })
  const setting = resolveSettings(started.architecture, settingsOf(options)).key
  const dataSet = await openDataSet(paths, { labels, several: several !== undefined })
  for (const note of dataSet.notes ?? []) options.onNote?.(note)
  const found = await featuresOf(base, started, { dataSet, options })
  const { pictures, failures } = withoutContradictions(found.pictures, labels)
  const collected = { ...found, pictures, failures: [...found.failures, ...failures] }
  const features = matrixOf(pictures)
  const doubles = await findDoubles(features, { signal })
  const hashes = pictures.map(({ hash }) => hash)
  checkCounts(labels, differentPictures(classes, pictures), collected.failures)
  const groups = groupsOf(doubles, hashes, features.labels)
  const task = { base, labels, scores, data: paths, dataSet, collected, features, groups, options } as const
  const { files, ...learned } = await (layers === 'all' ? learnLayers(task) : learnHead(task))
  const about = { base: base.name, setting, data: paths, layers }
  const report = makeReport({ classes, ...about, dataSet, collected, doubles, ...learned })
  const card = finetuneCard(files.architecture, {
    ...{ title: basename(resolve(output)), source: base.name, sourceCard: base.card, seed, report },
  })
  const reportFiles = await filesOfReport(report, dataSet, signal)
  if (options.report !== undefined) await writeReport(options.report, reportFiles)
  const besides = options.report === undefined ? reportFiles : {}
  await writeModelFolder(output, files, { card, overwrite, signal, besides })
  return { output, report }
}
