import { z } from 'zod'

const count = z.int().min(0)

/** How many answers were right, or how much of all objects; of how many. */
export const shareSchema = z.object({ right: z.number().min(0), of: count })

/** How good a model is. */
export const measuredSchema = z.object({
  top1: shareSchema,
  /** Where models are measured in several ways: each, the first of which is `top1` too. */
  scores: z.record(z.string(), shareSchema).optional(),
  /** Sizes that pictures decide, their means over some of the test pictures. */
  counted: z.object({ pictures: count, sizes: z.record(z.string(), z.number()) }).optional(),
})

export type Measured = Readonly<z.infer<typeof measuredSchema>>
