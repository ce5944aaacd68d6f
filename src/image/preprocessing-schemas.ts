import { z } from 'zod'
import type { PerChannel } from './preprocessing.js'

/** A side of a picture, in pixels. */
export const side = z.number().int().positive()

/** Three numbers, or one that stands for all three. */
export const perChannel = z.union(
  [
    z.tuple([z.number(), z.number(), z.number()]),
    z.number().transform((value): [number, number, number] => [value, value, value]),
  ],
  'expected three numbers (red, green, blue)',
)

/** As {@link perChannel}, for standard deviations. */
export const perChannelDivisor = perChannel.refine((values: PerChannel) => values.every((v) => v > 0), {
  message: 'expected numbers above 0, because values are divided by them',
})

/** A few of timm's models have a ratio above 1: resized below the input, then padded. */
export const cropRatio = z.number().positive()
