import { defined } from '../../base/assert.js'
import { throwIfAborted } from '../../base/blvit-error.js'
import { laterTurn } from '../../base/turn.js'
import type { ImageDecoder } from '../../image/prepare.js'
import type { ModelFiles } from '../../model-store/model-files.js'
import { fineTune, fineTunePatience } from '../../recipes/fine-tune.js'
import { adjusted, type DecidedRecipe, recipeSchema, stepsOf } from '../../recipes/recipe.js'
import type { Runtime } from '../../runtime/runtime.js'
import { resolveSettings } from '../../settings/resolve.js'
import type { Settings } from '../../settings/settings.js'
import { makeStep } from '../../stages/make-step.js'
import { learned, StageSession } from '../../stages/stage-session.js'
import { planStages } from '../../stages/stage-step.js'
import { usualSettings } from '../../stages/usual-settings.js'
import type { Model } from '../model.js'
import { photoBatches } from './photo-batches.js'
import type { SeenPicture } from './study-classes.js'

/** How good a model in training was after an epoch. */
export interface TrainingEpoch {
  /** 0: before the first step. */
  readonly epoch: number
  /** Mean of its steps; undefined before the first. */
  readonly loss: number | undefined
  /** How often it was right on pictures that it doesn't learn from, 0 … 1. */
  readonly accuracy: number
  /** Whether it was never better. */
  readonly best: boolean
}

/** How far a training of all layers has come. */
export type LayerProgress =
  | {
      readonly phase: 'layers'
      /** Steps that were made, and that there are at most. */
      readonly done: number
      readonly total: number
      readonly loss: number
    }
  | { readonly phase: 'validation'; readonly epoch: TrainingEpoch }

export interface LearnLayersOptions {
  readonly learn: readonly SeenPicture[]
  readonly validate: readonly SeenPicture[]
  readonly runtime: Runtime
  readonly threads: number | undefined
  readonly decoder: ImageDecoder
  /** Makes a model to be measured. */
  readonly modelOf: (files: ModelFiles) => Model
  readonly epochs: number
  readonly seed: number
  readonly signal: AbortSignal | undefined
  /** Ends it early with what was best so far. */
  readonly stop: AbortSignal | undefined
  readonly onProgress: ((progress: LayerProgress) => void) | undefined
}

export interface LearnedLayers {
  readonly files: ModelFiles
  readonly epochs: readonly TrainingEpoch[]
  readonly bestEpoch: number
}

/** As Node's, but that WebGPU has no sizes that change from step to step: a model learns at its own settings there. */
function recipeFor({ architecture }: ModelFiles, { target }: Runtime, pictures: number): DecidedRecipe {
  const settings = target === 'webgpu' ? [resolveSettings(architecture).values] : []
  return adjusted(recipeSchema.parse(fineTune), { pictures, settings })
}

/** What a session has learned so far, in memory of its own: the next step writes over the session's. */
function copyOf(start: ModelFiles, { state }: StageSession): ModelFiles {
  const own = [...state].filter(([name]) => start.weights.has(name))
  return learned(start, { state: new Map(own.map(([name, tensor]) => [name, structuredClone(tensor)])) })
}

/** How often a model is right, on average over its settings. @throws BlvitError `ENGINE`, `ABORTED` */
async function accuracyOf(
  files: ModelFiles,
  settings: readonly Settings[],
  { validate, modelOf, signal }: LearnLayersOptions,
): Promise<number> {
  await using model = modelOf(files)
  const inputs = validate.map(({ input }) => input)
  let right = 0
  for (const each of settings) {
    const answers = await model.classify(inputs, { ...each, top: 1, signal })
    right += answers.filter(({ top }, at) => {
      const { label } = defined(validate[at], 'a picture')
      return top[0]?.label === files.labels[label]
    }).length
  }
  return right / (inputs.length * settings.length)
}

/**
 * All layers of a model learn from pictures that are there. Its best weights by other pictures come out, those that it began with among
 * them.
 * @throws BlvitError `ENGINE`, `ABORTED`
 */
export async function learnLayers(start: ModelFiles, options: LearnLayersOptions): Promise<LearnedLayers> {
  const { learn, runtime, threads, decoder, seed, signal, stop, onProgress } = options
  const recipe = recipeFor(start, runtime, options.epochs * learn.length)
  const planned = planStages(recipe, { student: start.architecture, teacher: undefined, runtime })
  const stage = defined(planned[0], 'a stage')
  const settings = usualSettings(start.architecture, planned)
  const total = stepsOf(stage.stage)
  const perEpoch = Math.max(1, Math.round(learn.length / stage.stage.batch))
  const epochs: TrainingEpoch[] = []
  let best = { files: start, accuracy: -1, epoch: 0 }
  const measure = async (files: ModelFiles, losses: readonly number[]) => {
    const accuracy = await accuracyOf(files, settings, options)
    const isBest = accuracy > best.accuracy
    const loss = losses.length === 0 ? undefined : losses.reduce((a, b) => a + b, 0) / losses.length
    const epoch = { epoch: epochs.length, loss, accuracy, best: isBest }
    epochs.push(epoch)
    if (isBest) best = { files, accuracy, epoch: epoch.epoch }
    onProgress?.({ phase: 'validation', epoch })
    await laterTurn()
  }
  const isEnough = () => stop?.aborted || epochs.length - 1 - best.epoch >= fineTunePatience
  await measure(start, [])
  if (stop?.aborted) return { files: start, epochs, bestEpoch: 0 }
  const { preprocessing, labels } = start
  const batches = photoBatches(learn, { ...stage, preprocessing, classes: labels.length, decoder, seed })
  await using session = await StageSession.open(stage, {
    ...{ student: start, teacher: undefined, runtime, threads, resume: undefined },
  })
  let losses: number[] = []
  while (session.steps < total && !isEnough()) {
    throwIfAborted(signal)
    const next = async () => defined((await batches.next()).value ?? undefined, 'a batch')
    const made = await makeStep(stage, { session, next, seed })
    const loss = made.losses.loss ?? Number.NaN
    losses.push(loss)
    onProgress?.({ phase: 'layers', done: session.steps, total, loss })
    if (session.steps % perEpoch !== 0 && session.steps < total) continue
    await measure(copyOf(start, session), losses)
    losses = []
  }
  return { files: best.files, epochs, bestEpoch: best.epoch }
}
