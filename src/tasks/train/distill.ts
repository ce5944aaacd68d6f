import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { openDataSet } from '../../data/open-data-set.js'
import { BlvitError } from '../../errors/blvit-error.js'
import { chooseRuntime, type DeviceRequest } from '../../runtime/choose.js'
import type { TrainingSession } from '../../training/training-session.js'
import type { DownloadOptions } from '../../weights/hub/download-model.js'
import { storedFrom } from '../../weights/stored-from.js'
import { convert } from '../model-folder/convert.js'
import { findConfiguration } from '../model-folder/find-configuration.js'
import { modelFingerprint } from '../model-folder/fingerprint.js'
import { locateModel } from '../model-folder/locate-model.js'
import { distillationCard } from '../model-folder/model-card.js'
import { type ModelFiles, openModel } from '../model-folder/model-files.js'
import { checkTarget } from '../model-folder/replace-folder.js'
import { writeModelFolder } from '../model-folder/write-model-folder.js'
import { Batches } from './batches.js'
import { openImitation } from './imitation-session.js'
import { checkpointIn, runTraining, type StepReport } from './run-training.js'
import { assertSameTraining, readCheckpoint, type TrainingIdentity } from './training-checkpoint.js'

export interface DistillOptions extends DownloadOptions {
  /** The configuration to distil into: a preset, a config.json or a folder with one. */
  readonly to: string
  /** Pictures to learn from: folders, tars, labels.csv; globs too. Labels aren't needed. */
  readonly data: readonly string[]
  /** The folder of the new model. Beside it `<output>.training` keeps checkpoint and log. */
  readonly output: string
  /** Pictures to see in all, the same ones again counted again. Default 10,000. */
  readonly images?: number | undefined
  /** Pictures a step. Default 16. */
  readonly batch?: number | undefined
  /** The highest learning rate. Default 2e-3. */
  readonly learningRate?: number | undefined
  /** Of new weights, the order of pictures and their crops. Default 0. */
  readonly seed?: number | undefined
  /** Go on from the checkpoint of a training with the same options. */
  readonly resume?: boolean | undefined
  readonly overwrite?: boolean | undefined
  /** Steps between two checkpoints. Default 100. */
  readonly checkpointEvery?: number | undefined
  readonly device?: DeviceRequest | undefined
  readonly threads?: number | undefined
  /** Only make a few steps, to measure what all would take; nothing is written. */
  readonly dryRun?: boolean | undefined
  readonly onStep?: ((report: StepReport) => void) | undefined
}

/** What came of a distillation. */
export interface Distillation {
  readonly steps: number
  /** Of the steps that this run made. */
  readonly reports: readonly StepReport[]
  /** The folder that was written; undefined after a dry run. */
  readonly output: string | undefined
  /** The most memory that this process has had. */
  readonly peakMemoryBytes: number
}

// The first is slow and not counted.
const dryRunSteps = 4

function checkNumbers(numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (Number.isSafeInteger(value) && value >= 1) continue
    throw new BlvitError('BAD_OPTION', `${name} is ${value}; it must be a whole number from 1.`, {
      [name]: value,
    })
  }
}

/** Where checkpoint and log of a training lie. @throws BlvitError `WRITE_FAILED` for one that would be lost */
async function trainingFolder({ output, resume, overwrite = false }: DistillOptions): Promise<string> {
  await checkTarget(output, overwrite)
  const folder = `${resolve(output)}.training`
  if (!resume && existsSync(checkpointIn(folder))) {
    if (!overwrite) {
      throw new BlvitError(
        'WRITE_FAILED',
        `${folder} holds the checkpoint of an earlier training. Go on with --resume, or begin anew with --overwrite.`,
      )
    }
    await rm(checkpointIn(folder))
  }
  return folder
}

/** The student with what the session has learned. The memory is the session's. */
function learned(student: ModelFiles, session: TrainingSession): ModelFiles {
  const weights = new Map(student.weights)
  for (const [name, { values, shape }] of session.state) {
    if (weights.has(name) && values instanceof Float32Array) weights.set(name, storedFrom(values, shape))
  }
  return { ...student, weights }
}

/**
 * Makes a big.LITTLE model of a ViT: converts it and teaches the new parts to imitate it, block by block. The P-blocks
 * keep the teacher's weights.
 * @param teacher a shipped name, a folder, or an id of the Hugging Face hub
 * @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, `BAD_DATA`, `BAD_OPTION`, `SHAPE_MISMATCH`, `WRITE_FAILED`, `ENGINE`;
 *   `ABORTED` after a checkpoint was written
 * @example
 * await distill('vit-tiny', { to: 't+48', data: ['photos/'], output: 'my-t48' })
 */
export async function distill(teacher: string, options: DistillOptions): Promise<Distillation> {
  const { to, data, output, images = 10_000, batch = 16, learningRate = 2e-3, seed = 0, signal } = options
  const { resume = false, checkpointEvery = 100, device, threads, dryRun = false } = options
  checkNumbers({ images, batch, checkpointEvery })
  const steps = Math.ceil(images / batch)
  const folder = dryRun ? undefined : await trainingFolder(options)

  const { name, folder: teacherFolder } = await locateModel(teacher, options)
  const teacherFiles = await openModel(teacherFolder, { signal })
  const { files: student } = convert(teacherFiles, await findConfiguration(to), { name: to, seed })
  const { architecture, preprocessing, labels } = student
  const dataSet = await openDataSet(data, { labels })
  const identity: TrainingIdentity = {
    stage: 'block imitation',
    teacher: await modelFingerprint(teacherFiles),
    configuration: JSON.stringify(architecture.json),
    data: await dataSet.fingerprint(),
    ...{ images: `${images}`, batch: `${batch}`, lr: `${learningRate}`, seed: `${seed}` },
  }
  const checkpoint = resume && folder !== undefined ? await readCheckpoint(checkpointIn(folder)) : undefined
  if (checkpoint && folder !== undefined) assertSameTraining(folder, checkpoint.identity, identity)
  const from = checkpoint?.position ?? { epoch: 0, index: 0 }

  // Steps write into the session's own memory, which an engine on another thread couldn't.
  const { runtime } = await chooseRuntime(device, { thread: 'caller' })
  await using session = await openImitation(student, { runtime, threads, checkpoint })
  await using batches = new Batches({ data, labels, preprocessing, seed, from, batch })
  const { channels, image } = architecture
  const reports = await runTraining({
    ...{ session, batches, batch, learningRate, checkpointEvery, folder, identity, from, signal },
    pictureShape: [channels, image.height, image.width],
    steps: dryRun ? Math.min(dryRunSteps, steps) : steps,
    onStep: options.onStep,
  })
  if (!dryRun) {
    const sourceCard = await readFile(join(teacherFolder, 'README.md'), 'utf8').catch(() => undefined)
    const facts = { title: basename(resolve(output)), source: name, sourceCard, seed }
    const recipe = { data: dataSet.name, images: steps * batch, batch, learningRate }
    const results = reports.at(-1)?.losses ?? {}
    const card = distillationCard(architecture, { ...facts, ...recipe, results })
    await writeModelFolder(output, learned(student, session), { card, overwrite: options.overwrite, signal })
  }
  const peakMemoryBytes = process.resourceUsage().maxRSS * 1024
  return { steps, reports, output: dryRun ? undefined : output, peakMemoryBytes }
}
