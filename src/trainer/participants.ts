import { BlvitError } from '../base/blvit-error.js'
import { convert } from '../model-store/convert.js'
import type { ModelFiles } from '../model-store/model-files.js'
import { findConfiguration } from '../model-store/node/find-configuration.js'
import { type NamedModel, openNamed } from '../model-store/node/named-model.js'
import type { ConfigJson } from '../models/architecture.js'
import { classOrder, type NamedClasses } from '../problems/class-order.js'
import { type DecidedRecipe, objectiveOf } from '../recipes/recipe.js'
import type { DownloadOptions } from '../weights/node/hub/download-model.js'

export interface ParticipantOptions extends DownloadOptions {
  /** The configuration to train: a preset, a config.json or a folder with one. Default: the model's own. */
  readonly to?: string | undefined
  /** config.json keys to change, e.g. `{ semi_cross: false }`: the switches of spec §5. */
  readonly set?: ConfigJson | undefined
  /** The ViT to learn from. Default: the model that the student starts with. */
  readonly teacher?: string | undefined
  /** Of weights that start anew. */
  readonly seed: number
}

/** Who takes part in a training. */
export interface Participants {
  /** What the student's weights come from, as it is on disk. */
  readonly source: NamedModel
  readonly student: ModelFiles
  /** Undefined where no stage needs one. */
  readonly teacher: NamedModel | undefined
}

/** What had to be assumed about the models, each thing once. */
export function assumptionsOf({ source, student, teacher }: Participants): readonly string[] {
  if (!teacher || teacher === source) return student.assumptions
  return [...student.assumptions, ...teacher.files.assumptions.map((each) => `${teacher.name}: ${each}`)]
}

function checkPixels(student: ModelFiles, teacher: NamedModel): void {
  const seen = ({ preprocessing: { mean, std, channelOrder } }: ModelFiles) =>
    JSON.stringify([mean, std, channelOrder ?? 'rgb'])
  if (seen(student) === seen(teacher.files)) return
  throw new BlvitError(
    'BAD_OPTION',
    `The teacher ${teacher.name} sees pixels normalised by mean and std ${seen(teacher.files)}, the student by ` +
      `${seen(student)}: they can't share a picture. Take a teacher of the same preprocessing.`,
  )
}

function checkClasses(student: NamedClasses, { name, files: { labels } }: NamedModel): void {
  // another number of classes is told with all that doesn't fit
  if (labels.length !== student.labels.length) return
  const { numbers } = classOrder(student, { name: `The teacher ${name}`, labels })
  const at = numbers?.findIndex((number, own) => number !== own)
  if (at === undefined) return
  throw new BlvitError(
    'BAD_OPTION',
    `The teacher ${name} has the classes of ${student.name} in another order: class ${at}, "${student.labels[at]}", is its ` +
      `class ${numbers?.[at]}. Take a teacher with the same order, or a loss without its answers (tokens).`,
  )
}

/**
 * Opens the models of a training, and converts the student.
 * @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, `BAD_WEIGHTS`, `SHAPE_MISMATCH`, `BAD_OPTION`
 */
export async function openParticipants(
  model: string | NamedModel,
  recipe: DecidedRecipe,
  { to, set, seed, teacher, ...download }: ParticipantOptions,
): Promise<Participants> {
  const source = typeof model === 'string' ? await openNamed(model, download) : model
  const target = to === undefined ? source.files.architecture : await findConfiguration(to)
  const student =
    to === undefined && !set
      ? source.files
      : (await convert(source.files, target, { name: to ?? source.name, seed, set })).files
  if (!recipe.stages.some((stage) => objectiveOf(stage).needsTeacher(stage)))
    return { source, student, teacher: undefined }
  const taughtBy = teacher === undefined ? source : await openNamed(teacher, download)
  checkPixels(student, taughtBy)
  if (recipe.stages.some((stage) => objectiveOf(stage).comparesClasses?.(stage)))
    checkClasses({ name: source.name, labels: student.labels }, taughtBy)
  return { source, student, teacher: taughtBy }
}
