import { seededRandom } from '../../base/random.js'
import { evaluate } from '../../graph/dim.js'
import { initialWeights } from '../../model-store/initial-weights.js'
import { chooseRuntime } from '../../runtime/node/choose.js'
import type { NamedTensors, TensorData } from '../../runtime/runtime.js'
import { targetsInputs } from '../../training/stages/loss-parts.js'
import { TrainingSession } from '../../training/training-session.js'
import type { TrainingStep } from '../../training/training-step.js'
import { readFloats } from '../../weights/read-floats.js'
import type { Job, Program, ProgramOptions, Workload } from '../messages.js'
import { trainingCases } from '../training/cases.js'

/** A learning rate that changes numbers, but nothing that takes time. */
const learningRate = 1e-4

const stateInputs = ({ state }: TrainingStep) =>
  new Set(['learning_rate', 'step', ...state.map((s) => s.input)])

/** Pictures of noise, each of some class. */
function noise(step: TrainingStep, batch: number): NamedTensors {
  const random = seededRandom(0)
  const state = stateInputs(step)
  const fed = step.graph.inputs.flatMap(({ leaf, shape }): [string, TensorData][] => {
    if (!leaf || state.has(leaf.name)) return []
    const now = shape.map((dim) => evaluate(dim, { batch }))
    const classes = now.at(-1) ?? 1
    const isTarget = (i: number) => Math.floor(i / classes) % classes === i % classes
    const values = Float32Array.from({ length: now.reduce((a, b) => a * b, 1) }, (_, i) =>
      leaf.name === targetsInputs.one ? Number(isTarget(i)) : 2 * random() - 1,
    )
    return [[leaf.name, { dtype: 'float32', shape: now, values }]]
  })
  return Object.fromEntries(fed)
}

/** Makes steps of a training: forward, backward and AdamW, on noise, from random weights. */
export async function trainingProgram(
  { name }: Extract<Workload, { kind: 'training' }>,
  { device, threads, profilePrefix }: ProgramOptions,
): Promise<Program> {
  const { batch, build } = trainingCases[name]
  const step = build()
  const { runtime } = await chooseRuntime(device, { thread: 'caller' })
  const starts = new Set(step.state.map(({ startsAs }) => startsAs))
  const drawn = step.graph.parameters.map(
    (parameter) => [parameter.name, initialWeights(parameter, { seed: 0 })] as const,
  )
  const start = new Map<string, Float32Array>()
  for (const [parameter, tensor] of drawn)
    if (starts.has(parameter)) start.set(parameter, await readFloats(tensor))
  const frozen = new Map(drawn.filter(([parameter]) => !starts.has(parameter)))
  const session = await TrainingSession.open(runtime, step, {
    ...{ start, frozen, threads, profilePrefix },
    sizes: { batch },
  })
  const inputs = noise(step, batch)
  const run = async (job: Job) => {
    if (job.kind !== 'training') throw new Error('blvit bug: not a job of a training')
    await session.run(inputs, { learningRate })
  }
  return {
    engine: runtime.description,
    run,
    endProfile: () => session.endProfile(),
    dispose: () => session.dispose(),
  }
}
