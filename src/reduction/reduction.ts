import type { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import type { Architecture } from '../models/architecture.js'
import type { BlockHooks } from '../models/block-loop.js'
import type { FamilyFacts } from '../models/facts.js'
import type { TokenWindows } from '../models/window-kinds.js'

/** What a reduction must know of the model that it is for. */
export interface ReducedModel extends Pick<FamilyFacts, 'depth' | 'classToken' | 'distilled'> {
  /** M, patch tokens of a picture. */
  readonly patches: number
  readonly grid: Architecture['grid']
  /** Tokens before the patches, the class token among them. */
  readonly prefix: number
  /** 0: a backbone without a head. */
  readonly classes: number
  /** How its tokens look around in windows; undefined: they all see each other. */
  readonly windows: TokenWindows | undefined
}

/** A model whose tokens look around in windows. */
interface WindowedModel extends ReducedModel {
  readonly windows: TokenWindows
}

/** The parameters of a reduction: an object of codecs, from a text to a value and back. */
export type Parameters = z.ZodObject<Readonly<Record<string, z.ZodType<unknown, string | undefined>>>>

/** Whether a model must have learned with a method: it makes no difference, it helps, or without there is no use. */
export type TrainingNeed = 'none' | 'better' | 'required'

/** What a model must have, each with the reason, which completes "evit …, and this model has none". */
export interface ReductionNeeds {
  readonly classToken?: string
  /** That the second token is no distillation token. */
  readonly notDistilled?: string
}

/** A parameter whose text is a file's name until the file is read. */
export interface FileParameter {
  /** Whether a text is what {@link read} gives. */
  isRead(text: string): boolean
  /**
   * The text that says what the file holds.
   * @throws BlvitError `BAD_DATA`, `BAD_OPTION` for a file of something else
   */
  read(content: string, path: string): string
}

/** A paper that lets a plain ViT go on with fewer tokens. One file each. */
export interface Reduction<P extends Parameters = Parameters> {
  /** As users type it. */
  readonly name: string
  /** What it does, in one sentence without its end: "keeps the patches that …". */
  readonly about: string
  readonly training: TrainingNeed
  /** Default: every plain ViT will do. */
  readonly needs?: ReductionNeeds | undefined
  /** Authors, title, year. */
  readonly paper: string
  /** A text that is right. */
  readonly example: string
  /** The parameter that stands without its name: `evit:0.7`. */
  readonly main: keyof z.output<P> & string
  /** Values of the main parameter from the one that saves most work to the one that saves least. Default: none. */
  readonly steps?: (model: ReducedModel, parameters: z.output<P>) => readonly string[]
  /** What given parameters come to in a model, where a number can be more than it ever does. Default: themselves. */
  readonly fitted?: (model: ReducedModel, parameters: z.output<P>) => z.output<P>
  /** Each with a description, which completes "must be …". */
  readonly parameters: P
  /** Those that are files' names. Default: none. */
  readonly files?: { readonly [Name in keyof z.output<P>]?: FileParameter }
  /** Their texts as people read them, where the full ones are long; others for other values. Default: the full ones. */
  readonly brief?: (texts: z.input<P>) => z.input<P>
  /** What each of them is, in a few words. */
  readonly parametersAbout: { readonly [Name in keyof z.output<P>]-?: string }
  /**
   * Of a method that works only with weights that it has learned: what they are, which completes "needs …". Its hooks
   * declare them outside of the blocks (`atScope`), under the names of the official checkpoints.
   */
  readonly ownWeights?: string
  /**
   * What it does in the block loop.
   * @param made the parameters of this method that the model was made for, as its config.json says: it has weights for
   *   these; undefined: the model knows nothing of it
   * @throws BlvitError `BAD_OPTION` for a model that it can't work on, or parameters that don't fit it
   */
  hooks(model: ReducedModel, parameters: z.output<P>, made: z.output<P> | undefined): BlockHooks
  /**
   * The same where tokens look around in windows, and no class token looks at them (Segment Anything, spec §6.4). Absent: the
   * method is not for such models.
   * @throws BlvitError `BAD_OPTION` for parameters that say nothing there
   */
  readonly inWindows?: (model: WindowedModel, parameters: z.output<P>) => BlockHooks
}

/** @throws BlvitError `BAD_OPTION` for a model with blocks of its own, or without what the reduction needs */
export function reducedModel(
  { name, needs = {}, inWindows }: Pick<Reduction, 'name' | 'needs'> & { readonly inWindows?: unknown },
  architecture: Architecture,
): ReducedModel {
  const { takesHooks, family, grid, prefix, facts, classes, patchSize, windows } = architecture
  const { depth, classToken, distilled } = facts
  const refused = (message: string) => new BlvitError('BAD_OPTION', message, { reduction: name, family })
  if (!takesHooks) {
    const why =
      patchSize === undefined
        ? `this one (${family}) has maps and no tokens that could go. Take`
        : `a ${family} decides in its own blocks which tokens save work. Turn its --keep-ratio, or take`
    throw refused(`${name} is for plain ViTs and DeiTs; ${why} a plain ViT (-m vit-tiny).`)
  }
  const model = {
    depth,
    classToken,
    distilled,
    patches: grid.rows * grid.columns,
    grid,
    prefix,
    classes,
    windows,
  }
  if (windows) {
    if (inWindows) return model
    throw refused(
      `${name} is for tokens that all see each other, and those of a ${family} look around in windows. Take evit or evo-vit.`,
    )
  }
  if (needs.classToken !== undefined && !classToken) {
    throw refused(
      `${name} ${needs.classToken}, and this model has no class token. Take tome, which compares patches with each other.`,
    )
  }
  if (needs.notDistilled !== undefined && distilled) {
    throw refused(
      `${name} ${needs.notDistilled}, and this model is distilled. Take one that is not distilled, or tome.`,
    )
  }
  return model
}
