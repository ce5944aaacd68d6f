import { z } from 'zod'
import { parseJson, parseWith } from '../base/parse.js'
import { type RunIdentity, runIdentitySchema } from '../base/run-identity.js'
import type { DataPosition } from '../batches/picture-stream.js'
import type { TensorData } from '../runtime/runtime.js'
import { openCheckpoint } from '../weights/node/checkpoint.js'
import { writeSafetensors } from '../weights/node/write-safetensors.js'
import { readFloats } from '../weights/read-floats.js'
import { storedFrom } from '../weights/stored-from.js'

/** Everything that a training needs to go on as if it had never stopped. */
export interface TrainingCheckpoint {
  /**
   * Trained parameters and what the optimiser remembers of them, under the names of the step's inputs; and what earlier
   * stages have taught parameters that this one leaves alone.
   */
  readonly state: ReadonlyMap<string, Float32Array>
  /** Counted from 1. */
  readonly stage: number
  /** How many steps of the stage were made. */
  readonly steps: number
  /** The best mean accuracy of a validation so far; null before the first. */
  readonly best: number | null
  readonly position: DataPosition
  readonly identity: RunIdentity
}

const format = 'blvit training 3'
const count = z.int().min(0)
const progressSchema = z.object({
  format: z.literal(format),
  stage: z.int().min(1),
  steps: count,
  best: z.number().nullable(),
  position: z.object({ epoch: count, index: count }),
  identity: runIdentitySchema,
})

/**
 * Writes a checkpoint as a safetensors file that appears whole or not at all: an older one stays until then.
 * @throws BlvitError `WRITE_FAILED`, e.g. when the disk is full
 */
export async function writeCheckpoint(
  path: string,
  {
    state,
    ...progress
  }: Omit<TrainingCheckpoint, 'state'> & { readonly state: ReadonlyMap<string, TensorData> },
): Promise<void> {
  const tensors = [...state].map(([name, { values, shape }]) => {
    if (!(values instanceof Float32Array)) throw new Error(`blvit bug: ${name} is not float32`)
    return [name, storedFrom(values, shape)] as const
  })
  await writeSafetensors(path, tensors, { metadata: { training: JSON.stringify({ format, ...progress }) } })
}

/**
 * Reads a checkpoint.
 * @throws BlvitError `BAD_WEIGHTS` if it is damaged or something else
 */
export async function readCheckpoint(path: string): Promise<TrainingCheckpoint> {
  const { tensors, metadata } = await openCheckpoint(path)
  const json = parseJson(metadata.training ?? 'null', path, 'BAD_WEIGHTS')
  const { format: _, ...progress } = parseWith(progressSchema, json, path, 'BAD_WEIGHTS')
  const state = new Map<string, Float32Array>()
  for (const [name, tensor] of tensors) state.set(name, await readFloats(tensor))
  return { state, ...progress }
}
