import { BlvitError } from '../base/blvit-error.js'
import { nodeDecoder } from '../image/node/decode.js'
import { convert } from '../model-store/convert.js'
import { initialise } from '../model-store/initialise.js'
import { type ModelFiles, parametersOf } from '../model-store/model-files.js'
import { readArchitecture } from '../models/index.js'
import { tokenMaskJson, tokenMaskText } from '../reduction/token-mask.js'
import type { ChosenRuntime } from '../runtime/runtime.js'
import { resolveSettings } from '../settings/resolve.js'
import { Model } from '../tasks/model.js'
import { calibrateTokenMask } from '../tasks/node/calibrate/calibrate-mask.js'
import type { StudentPlan } from './experiment.js'

/** A student before it learns. */
export interface Student {
  readonly files: ModelFiles
  /** Whether all its weights are the teacher's: it then can do something already. */
  readonly isWhole: boolean
}

export interface StudentOptions {
  readonly seed: number
  /** What a mask is calibrated on. */
  readonly trainingData: string
  readonly runtime: ChosenRuntime
  readonly signal?: AbortSignal | undefined
}

/** More pictures than the paper's 128: they are small, and the ranking of patches must hold, not only which are above the mean. */
const calibrationPictures = 512

/** The teacher's first blocks alone. */
function shortened(teacher: ModelFiles, firstLayers: number): ModelFiles {
  const { architecture } = resolveSettings(teacher.architecture, { firstLayers })
  const weights = parametersOf(architecture).map(({ name }) => {
    const tensor = teacher.weights.get(name)
    if (!tensor)
      throw new BlvitError(
        'SHAPE_MISMATCH',
        `The first ${firstLayers} layers of the teacher have no ${name}.`,
      )
    return [name, tensor] as const
  })
  return { ...teacher, architecture, weights: new Map(weights) }
}

/** ATF with the patches that receive most attention in the teacher's first block, as many as a share says. */
async function maskOfTeacher(
  teacher: ModelFiles,
  share: number,
  { trainingData, runtime, signal }: StudentOptions,
): Promise<string> {
  await using model = new Model('the teacher', teacher, runtime, { threads: 1, decoder: nodeDecoder })
  const { mask } = await calibrateTokenMask(model, trainingData, { pictures: calibrationPictures, signal })
  const received = mask.calibration?.attentionReceived.slice(mask.calibration.prefixTokens) ?? []
  const least = received.toSorted((a, b) => b - a)[Math.round(share * received.length) - 1] ?? 0
  const bits = received.map((value) => value >= least)
  return `atf:${tokenMaskText(tokenMaskJson(mask.grid, { static: bits, calibration: mask.calibration }))}`
}

/** Makes a student of the teacher. @throws BlvitError as `convert` and `calibrateTokenMask` */
export async function studentOf(
  teacher: ModelFiles,
  { to, isFresh = false, set = {}, firstLayers, calibratedMask }: StudentPlan,
  options: StudentOptions,
): Promise<Student> {
  const { seed } = options
  if (firstLayers !== undefined) return { files: shortened(teacher, firstLayers), isWhole: true }
  const mask =
    calibratedMask === undefined ? {} : { reduction: await maskOfTeacher(teacher, calibratedMask, options) }
  const target = to ? readArchitecture(to) : teacher.architecture
  const { files, fresh } = await convert(teacher, target, { seed, set: { ...set, ...mask } })
  if (!isFresh) return { files, isWhole: fresh.length === 0 }
  const { weights } = initialise(files.architecture, { seed })
  return { files: { ...files, weights }, isWhole: false }
}
