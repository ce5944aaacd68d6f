import type { Recipe } from '../recipes/recipe.js'
import { findRecipe } from './find-recipe.js'
import { type Training, train } from './train.js'
import type { TrainOptions } from './train-options.js'

export interface DistillOptions extends Omit<TrainOptions, 'teacher'> {
  /** The configuration to distil into: a preset, a config.json or a folder with one. */
  readonly to: string
  /** Pictures to learn from: folders, tars, labels.csv; globs too. Labels aren't needed. */
  readonly data: string | readonly string[]
  /** Default: the recipe `distill`. */
  readonly recipe?: Recipe | undefined
}

/**
 * Makes a big.LITTLE model of a ViT: converts it, teaches the new parts to imitate it block by block, then all of it to
 * answer like the teacher with few patches.
 * @param teacher a shipped name, a folder, or an id of the Hugging Face hub
 * @throws BlvitError as {@link train}
 * @example
 * await distill('vit-tiny', { to: 't+48', data: 'photos/', output: 'my-t48' })
 */
export async function distill(teacher: string, options: DistillOptions): Promise<Training> {
  const { data, recipe = await findRecipe('distill'), ...rest } = options
  return train(teacher, data, recipe, { ...rest, teacher })
}
