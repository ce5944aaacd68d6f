import { z } from 'zod'

/** A key that other programs write and that has one value here; others are refused. */
export const only = <Value extends string | number | boolean>(value: Value) => z.literal(value).default(value)
/** A count or a size in a config.json. */
export const size = z.int().min(1).max(65_536)
/** How many classes a head tells apart; 0: there is none. */
export const classCount = z.int().min(0).max(65_536)
/** A side of the input in pixels, or height and width. */
export const imageSize = z.union([size, z.tuple([size, size])])
/** Side of a patch in pixels, or height and width, which must be equal. */
export const patchSize = z
  .union([size, z.tuple([size, size])])
  .refine((value) => typeof value === 'number' || value[0] === value[1], 'patches must be square')
  .transform((value) => (typeof value === 'number' ? value : value[0]))
// The deepest ViTs have some 60 layers; each makes nodes of the graph before the weights are looked at.
export const depth = z.int().min(1).max(1_000)
export const ratio = z.number().positive().max(1_000)
export const epsilon = z.number().positive().max(1)

export function imageOf(given: number | readonly [number, number]): { height: number; width: number } {
  return typeof given === 'number' ? { height: given, width: given } : { height: given[0], width: given[1] }
}
