import type { z } from 'zod'
import * as methods from './index.js'
import { defaultOf, descriptionOf } from './parameters.js'
import type { Reduction, ReductionNeeds } from './reduction.js'

/** A parameter of a reduction, for people. */
export interface ReductionParameter {
  readonly name: string
  readonly about: string
  /** What it must be. */
  readonly values: string
  /** As it is typed; null: it has to be given, or `about` says what holds without it. */
  readonly default: string | null
}

/** What is to be known of a reduction before it is used. */
export interface ReductionFacts extends Pick<Reduction, 'name' | 'about' | 'training' | 'paper' | 'example'> {
  readonly needs: readonly (keyof ReductionNeeds)[]
  /** The first stands without its name: `evit:0.7`. */
  readonly parameters: readonly ReductionParameter[]
}

function factsOf({ main, parameters, parametersAbout, needs = {}, ...facts }: Reduction): ReductionFacts {
  const { name, about, training, paper, example } = facts
  const others = Object.keys(parameters.shape).filter((parameter) => parameter !== main)
  return {
    ...{ name, about, training, paper, example },
    needs: Object.keys(needs) as (keyof ReductionNeeds)[],
    parameters: [main, ...others].map((parameter) => {
      const schema = parameters.shape[parameter] as z.ZodType
      return {
        name: parameter,
        about: parametersAbout[parameter] ?? '',
        values: descriptionOf(schema),
        default: defaultOf(schema) ?? null,
      }
    }),
  }
}

/** The facts of every reduction, by name. */
export function reductionFacts(): readonly ReductionFacts[] {
  return Object.values(methods)
    .map((reduction) => factsOf(reduction as unknown as Reduction))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
