import { z } from 'zod'

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** NaN for everything that isn't written as a decimal number, which every schema refuses. */
function numberOf(text: string): number {
  return decimal.test(text) ? Number(text) : Number.NaN
}

/** Several of one kind, with slashes between: commas separate parameters. */
export function listOf(item: z.ZodType<number, number>, description: string) {
  return z
    .codec(z.string(), z.array(item).min(1), {
      decode: (text) => text.split('/').map((part) => numberOf(part.trim())),
      encode: (numbers) => numbers.join('/'),
    })
    .describe(description)
}

/** Shares of tokens that stay: one for all blocks or one for each. */
export const keepRates = listOf(
  z.number().gt(0).max(1),
  'a number above 0 and up to 1, or one for each of its blocks, as in 0.9/0.7/0.5',
)

/** Keep rates in steps of a hundredth, from the one that saves most. */
export const keepRateSteps: readonly string[] = Array.from({ length: 100 }, (_, i) => `${(i + 1) / 100}`)

const blocksDescription = 'blocks counted from 0, each once, as in the names of their parameters: 3/6/9'

/** Blocks, counted from 0 as in the names of their parameters, each once. */
export const blockList = listOf(z.int().min(0), blocksDescription)
  .refine((blocks) => new Set(blocks).size === blocks.length)
  .describe(blocksDescription)

/** How many tokens go: one number for all blocks or one for each. */
export const counts = listOf(
  z.int().min(0),
  'a whole number of tokens, or one for each block from the first, as in 16/8/0/8',
)

/** One number. */
export function one(number: z.ZodType<number, number>, description: string) {
  return z
    .codec(z.string(), number, { decode: numberOf, encode: (value) => `${value}` })
    .describe(description)
}

/** yes or no */
export const flag = z
  .codec(z.enum(['true', 'false']), z.boolean(), {
    decode: (text) => text === 'true',
    encode: (value) => (value ? 'true' : 'false'),
  })
  .describe('true or false')

/** A number with names for some values. */
export function namedNumber(
  number: z.ZodType<number, number>,
  names: Readonly<Record<string, number>>,
  description: string,
) {
  return z
    .codec(z.string(), number, {
      decode: (text) => (Object.hasOwn(names, text) ? (names[text] ?? Number.NaN) : numberOf(text)),
      encode: (value) => Object.keys(names).find((name) => names[name] === value) ?? `${value}`,
    })
    .describe(description)
}

/** What a parameter is where nothing is said, as it is typed; undefined where something has to be said or follows otherwise. */
export function defaultOf(parameter: z.ZodType): string | undefined {
  return parameter instanceof z.ZodDefault
    ? String(z.encode(parameter, parameter.def.defaultValue))
    : undefined
}

/** What a parameter must be: its description, also under a default. */
export function descriptionOf(parameter: z.ZodType): string {
  if (parameter.description !== undefined) return parameter.description
  const isWrapped = parameter instanceof z.ZodDefault || parameter instanceof z.ZodOptional
  return isWrapped ? descriptionOf(parameter.unwrap() as z.ZodType) : 'something else'
}
