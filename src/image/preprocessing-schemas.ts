import { z } from 'zod'
import type { Grey, PerChannel } from './preprocessing.js'

/** A side of a picture, in pixels; as large as a model's may be. */
export const side = z.number().int().positive().max(65_536)

// Values are 0 to 1 before: numbers far from that overflow float32, and no result would be a number.
const channelValue = z.number().min(-1_000).max(1_000)
const smallestDivisor = 1e-6

/** Three numbers, or one that stands for all channels. */
export const perChannel = z.union(
  [
    z.tuple([channelValue, channelValue, channelValue]),
    z.tuple([channelValue]),
    channelValue.transform((value): [number] => [value]),
  ],
  'expected three numbers (red, green, blue), or one for all',
)

/** As {@link perChannel}, for standard deviations. */
export const perChannelDivisor = perChannel.refine(
  (values: PerChannel | Grey) => values.every((v) => v >= smallestDivisor),
  {
    message: `expected numbers of at least ${smallestDivisor}, because values are divided by them`,
  },
)

/** A few of timm's models have a ratio above 1: resized below the input, then padded. */
export const cropRatio = z.number().positive().min(0.001).max(1_000)
