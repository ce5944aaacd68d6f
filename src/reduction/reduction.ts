import type { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import type { Architecture } from '../models/architecture.js'
import type { BlockHooks } from '../models/block-loop.js'
import type { FamilyFacts } from '../models/facts.js'

/** What a reduction must know of the model that it is for. */
export interface ReducedModel extends Pick<FamilyFacts, 'depth' | 'classToken' | 'distilled'> {
  /** M, patch tokens of a picture. */
  readonly patches: number
  /** Tokens before the patches, the class token among them. */
  readonly prefix: number
}

/** The parameters of a reduction: an object of codecs, from a text to a value and back. */
export type Parameters = z.ZodObject<Readonly<Record<string, z.ZodType<unknown, string | undefined>>>>

/** A paper that lets a plain ViT go on with fewer tokens. One file each. */
export interface Reduction<P extends Parameters = Parameters> {
  /** As users type it. */
  readonly name: string
  /** One sentence. */
  readonly about: string
  /** Authors, title, year. */
  readonly paper: string
  /** A text that is right. */
  readonly example: string
  /** The parameter that stands without its name: `evit:0.7`. */
  readonly main: keyof z.output<P> & string
  /** Values of the main parameter from the one that saves most work to the one that saves least. Default: none. */
  readonly steps?: (model: ReducedModel) => readonly string[]
  /** What given parameters come to in a model, where a number can be more than it ever does. Default: themselves. */
  readonly fitted?: (model: ReducedModel, parameters: z.output<P>) => z.output<P>
  /** Each with a description, which completes "must be …". */
  readonly parameters: P
  /**
   * What it does in the block loop.
   * @throws BlvitError `BAD_OPTION` for a model that it can't work on, or parameters that don't fit it
   */
  hooks(model: ReducedModel, parameters: z.output<P>): BlockHooks
}

/** @throws BlvitError `BAD_OPTION` for a model with blocks of its own */
export function reducedModel(reduction: string, architecture: Architecture): ReducedModel {
  const { takesHooks, family, grid, prefix, facts } = architecture
  const { depth, classToken, distilled } = facts
  if (takesHooks) return { depth, classToken, distilled, patches: grid.rows * grid.columns, prefix }
  const message = `${reduction} is for plain ViTs and DeiTs; a ${family} decides in its own blocks which tokens save work. Turn its --keep-ratio, or take a plain ViT (-m vit-tiny).`
  throw new BlvitError('BAD_OPTION', message, { reduction, family })
}

/** @throws BlvitError `BAD_OPTION` for a model without class token */
export function assertClassToken(reduction: string, { classToken }: ReducedModel): void {
  if (classToken) return
  const message = `${reduction} keeps the patches that the class token looks at, and this model has no class token. Take tome, which compares patches with each other.`
  throw new BlvitError('BAD_OPTION', message, { reduction })
}

/** @throws BlvitError `BAD_OPTION` for a DeiT with a distillation token */
export function assertNotDistilled(reduction: string, { distilled }: ReducedModel): void {
  if (!distilled) return
  const message =
    `The code of ${reduction} takes a distillation token for a patch, which may be dropped, and the paper says nothing of such models. ` +
    'Take a model that is not distilled, or tome.'
  throw new BlvitError('BAD_OPTION', message, { reduction })
}
