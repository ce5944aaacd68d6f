import { z } from 'zod'
import type { Architecture } from '../../models/architecture.js'
import { partition, type Trace, type TracedStep } from './traced-steps.js'

const index = z.int().min(0)
const count = z.int().min(1)
const patches = z.array(index)

const stepSchema = z.strictObject({
  afterLayer: index.describe('the layer in or after which it happened, counted from 1; 0: before the first'),
  tokens: index.describe('from here on, without prefix tokens'),
  kept: patches.describe('patches with a token of their own'),
  merged: z.array(patches.min(2)).describe('patches that are one token together, a list for each such token'),
  fused: z
    .array(patches)
    .describe('patches that were let go and are summed up in one token, a list for each token'),
  dropped: patches.describe('patches that no later layer sees'),
  route: z
    .strictObject({
      layers: z.array(count).describe('the layers that it decides about, counted from 1'),
      big: patches.describe('patches that take the big path there'),
      decided: z
        .array(z.string())
        .optional()
        .describe(
          'what else the model left out there for this picture, for people, where it decides such things',
        ),
    })
    .optional()
    .describe('where the model has a big and a little path'),
  scores: z.array(z.number()).optional().describe('the score of every patch, where the model has scores'),
})

/**
 * The file that `blvit trace --json` writes. A change that breaks readers gets another version. Patches count from 0,
 * row by row; lists are ascending; each patch is in exactly one of a step's `kept`, `merged`, `fused` and `dropped`.
 */
export const traceJsonSchema = z
  .strictObject({
    version: z.literal(2),
    model: z.string().describe('what the model was loaded by'),
    setting: z.string().describe('what it was run with, for people, e.g. evit:0.7; empty: nothing was set'),
    picture: z.string().describe('path, address or "standard input"'),
    image: z.strictObject({ height: count, width: count }).describe("the model's input, in pixels"),
    patchSize: count.describe('side of a patch in pixels'),
    grid: z.strictObject({ rows: count, columns: count }).describe('how many patches'),
    prefixTokens: index.describe('tokens before the patches, never let go and not counted in any list here'),
    steps: z.array(stepSchema).describe('in the order in which they happen'),
    top: z.array(z.strictObject({ index, label: z.string(), probability: z.number() })),
  })
  .superRefine(({ steps, grid }, { addIssue }) => {
    for (const [i, { kept, merged, fused, dropped, tokens }] of steps.entries()) {
      const all = [kept, ...merged, ...fused, dropped].flat().sort((a, b) => a - b)
      const isPartition =
        all.length === grid.rows * grid.columns && all.every((patch, place) => patch === place)
      if (!isPartition)
        addIssue({ code: 'custom', path: ['steps', i], message: 'is no partition of the patches' })
      const counted = kept.length + merged.length + fused.length
      if (counted !== tokens)
        addIssue({
          code: 'custom',
          path: ['steps', i, 'tokens'],
          message: `is ${tokens}, the lists hold ${counted}`,
        })
    }
  })

export type TraceJson = z.infer<typeof traceJsonSchema>

/** What the JSON tells beside the trace itself. */
export interface TraceOrigin {
  readonly model: { readonly name: string; readonly architecture: Pick<Architecture, 'image' | 'prefix'> }
  /** What the picture is called. */
  readonly picture: string
}

function stepJson(step: TracedStep): TraceJson['steps'][number] {
  const { kept, merged, fused, dropped } = partition(step)
  const { afterLayer, tokens, big, layers = [], scores, decided } = step
  return {
    afterLayer,
    tokens,
    kept: [...kept],
    merged: merged.map((group) => [...group]),
    fused: fused.map((patches) => [...patches]),
    dropped: [...dropped],
    ...(big
      ? { route: { layers: [...layers], big: [...big], ...(decided ? { decided: [...decided] } : {}) } }
      : {}),
    ...(scores ? { scores: [...scores] } : {}),
  }
}

/** A trace as the data that {@link traceJsonSchema} describes. */
export function traceJson(trace: Trace, { model, picture }: TraceOrigin): TraceJson {
  const { name, architecture } = model
  const { patchSize, grid, setting, steps, top } = trace
  const { height, width } = architecture.image
  return {
    version: 2,
    model: name,
    setting,
    picture,
    image: { height, width },
    patchSize,
    grid: { rows: grid.rows, columns: grid.columns },
    prefixTokens: architecture.prefix,
    steps: steps.map(stepJson),
    top: top.map((scored) => ({ ...scored })),
  }
}
