import { z } from 'zod'
import { checkBatch } from '../base/ahead.js'
import {
  type AugmentationInput,
  augmentationSchema,
  parseAugmentation,
} from '../image/augment/augmentation.js'
import type { RunSettings } from '../settings/settings.js'
import { plansOf } from '../training/settings-plan.js'
import { stageKinds } from '../training/stages/index.js'
import type { StageObjective } from '../training/stages/stage-kind.js'

const count = z.int().min(1)

/** What of a stage doesn't depend on its objective. */
const common = z.strictObject({
  /** Pictures to see, the same ones again counted again. */
  pictures: count,
  /** Pictures that the engine takes at once. */
  batch: count.default(16),
  /** Batches that make one step: their mean gradient is that of one large batch, in the memory of a small one. */
  accumulate: count.default(1),
  /** The highest learning rate. */
  learningRate: z.number().positive(),
  /** How the learning rate falls after its warm-up. */
  schedule: z.enum(['cosine', 'linear', 'constant']).default('cosine'),
  /** Share of the steps in which the learning rate rises. */
  warmUp: z.number().min(0).max(1).default(0.05),
  /** Each layer learns so many times as fast as the one above it, where `parameters` says nothing else. */
  layerDecay: z.number().positive().max(1).exactOptional(),
  weightDecay: z.number().min(0).default(0.05),
  /** Gradients are scaled down to this norm together. */
  clipNorm: z.number().positive().exactOptional(),
  /** Keep a running mean of the weights and end with that. */
  emaDecay: z.number().min(0).max(1).exactOptional(),
  /** What is done to the pictures: `crop-flip`, `deit`, `none`, or an object. */
  augmentation: augmentationSchema.default(parseAugmentation('crop-flip')),
  /** Parameters that are treated differently; the first that matches counts. */
  parameters: z
    .array(
      z.strictObject({
        /** A regular expression for names, e.g. `little\.|^predictors` */
        match: z.string().refine(isRegularExpression, 'it is no regular expression'),
        learningRateScale: z.number().min(0).exactOptional(),
        weightDecay: z.number().min(0).exactOptional(),
        frozen: z.boolean().exactOptional(),
      }),
    )
    .default([]),
})

function isRegularExpression(text: string): boolean {
  try {
    return Boolean(new RegExp(text))
  } catch {
    return false
  }
}

type Objective = z.input<(typeof stageKinds)[keyof typeof stageKinds]['schema']>
type DecidedObjective = z.output<(typeof stageKinds)[keyof typeof stageKinds]['schema']>

const [firstSchema, ...otherSchemas] = Object.values(stageKinds).map(({ schema }) =>
  z.strictObject({ ...schema.shape, ...common.shape }),
)
if (!firstSchema) throw new Error('blvit bug: no kind of stage')

const schema = z.strictObject({
  /** What it is for, what it costs and what came of it, in a sentence or two. */
  about: z.string().min(1),
  stages: z.array(z.discriminatedUnion('objective', [firstSchema, ...otherSchemas])).min(1),
})

/** One stage with everything decided. */
export type Stage = DecidedObjective & z.output<typeof common>

/** A training as data, as it is written: what has a default may be left out. */
export interface Recipe {
  readonly about: string
  readonly stages: readonly (Objective &
    Omit<z.input<typeof common>, 'augmentation'> & { readonly augmentation?: AugmentationInput })[]
}

/** A recipe with everything decided. */
export interface DecidedRecipe {
  readonly about: string
  readonly stages: readonly Stage[]
}

/** Reads recipes, from files too. */
export const recipeSchema = schema as unknown as z.ZodType<DecidedRecipe>

/** What a stage is after. */
export function objectiveOf({ objective }: Stage): StageObjective<Stage> {
  // a stage was read by the schema of its own kind, which the compiler can't follow
  return stageKinds[objective] as StageObjective<Stage>
}

export interface RecipeChanges {
  /** Pictures in all, which the stages share as before. */
  readonly pictures?: number | undefined
  /** Pictures that the engine takes at once, in all stages. Where a recipe accumulates, its steps keep their pictures. */
  readonly batch?: number | undefined
  /** Batches that make one step, in all stages. */
  readonly accumulate?: number | undefined
  /**
   * What the student is trained at in stages where it runs as it will later, in place of what the recipe says; of several
   * each step draws one.
   */
  readonly settings?: readonly RunSettings[] | undefined
  /** Multiplies the learning rates of all stages. */
  readonly learningRateScale?: number | undefined
}

/** How many batches of another size make a step. */
function accumulateOf({ batch, accumulate }: Stage, changed = batch): number {
  return accumulate === 1 ? 1 : Math.max(1, Math.round((batch * accumulate) / changed))
}

/**
 * The same recipe, made longer or shorter, or to fit another memory.
 * @throws BlvitError `BAD_OPTION`
 */
export function adjusted(
  recipe: DecidedRecipe,
  { pictures, batch, accumulate, settings = [], learningRateScale = 1 }: RecipeChanges,
): DecidedRecipe {
  checkBatch(batch)
  const total = recipe.stages.reduce((sum, stage) => sum + stage.pictures, 0)
  const share = pictures === undefined ? 1 : pictures / total
  const stages = recipe.stages.map((stage) => ({
    ...stage,
    ...(objectiveOf(stage).settings ? plansOf(settings) : {}),
    pictures: Math.max(1, Math.round(stage.pictures * share)),
    batch: batch ?? stage.batch,
    accumulate: accumulate ?? accumulateOf(stage, batch),
    learningRate: stage.learningRate * learningRateScale,
  }))
  return { ...recipe, stages }
}

/** How many steps a stage takes. */
export function stepsOf({ pictures, batch, accumulate }: Stage): number {
  return Math.ceil(pictures / (batch * accumulate))
}
