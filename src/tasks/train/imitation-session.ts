import { BlvitError } from '../../errors/blvit-error.js'
import type { Architecture } from '../../models/architecture.js'
import { readBlvitConfig } from '../../models/blvit-json.js'
import type { Runtime } from '../../runtime/runtime.js'
import { blockImitation, learnsByImitation, normToStartAs } from '../../training/block-imitation.js'
import { TrainingSession } from '../../training/training-session.js'
import { type TrainingStep, trainingStep } from '../../training/training-step.js'
import { readFloats } from '../../weights/read-floats.js'
import type { StoredTensors } from '../../weights/stored-tensor.js'
import type { ModelFiles } from '../model-folder/model-files.js'
import type { TrainingCheckpoint } from './training-checkpoint.js'

/** @throws BlvitError `BAD_OPTION` if the architecture has nothing that could learn so */
function imitationStep(architecture: Architecture): TrainingStep {
  const parts =
    architecture.family === 'blvit' ? blockImitation(readBlvitConfig(architecture.json)) : undefined
  if (!parts) {
    throw new BlvitError(
      'BAD_OPTION',
      'This configuration has neither E-blocks nor predictors: there is nothing to distil into. Use t+48, s+96 or b+t.',
    )
  }
  const { loss, imitation, ranking } = parts
  const reports = { ...(imitation && { imitation }), ...(ranking && { ranking }) }
  const groups = [{ matches: (name: string) => !learnsByImitation(name), frozen: true }]
  return trainingStep('block_imitation', loss, { groups, reports })
}

/** What learns begins as the conversion made it, but E-blocks see tokens through the norms of their P-blocks. */
async function startOf(step: TrainingStep, weights: StoredTensors): Promise<Map<string, Float32Array>> {
  const start = new Map<string, Float32Array>()
  for (const { startsAs: name } of step.state) {
    const tensor = name === undefined ? undefined : weights.get(normToStartAs(name) ?? name)
    if (name !== undefined && tensor) start.set(name, await readFloats(tensor))
  }
  return start
}

/**
 * Loads the first stage of a distillation.
 * @param student converted from the teacher @param options `checkpoint`: where an earlier run stopped
 */
export async function openImitation(
  student: ModelFiles,
  {
    runtime,
    threads,
    checkpoint,
  }: { runtime: Runtime; threads: number | undefined; checkpoint: TrainingCheckpoint | undefined },
): Promise<TrainingSession> {
  const step = imitationStep(student.architecture)
  return TrainingSession.open(runtime, step, {
    start: checkpoint?.state ?? (await startOf(step, student.weights)),
    steps: checkpoint?.steps ?? 0,
    frozen: student.weights,
    threads,
  })
}
