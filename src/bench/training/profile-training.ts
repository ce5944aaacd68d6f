import { BenchProcess, temporaryFolder } from '../process.js'
import { multiplyAddsByScope, type ProfileRow, rowsOf } from '../profile-rows.js'
import { median } from '../spread.js'
import type { BenchTrainingOptions } from './bench-training.js'
import { type TrainingCaseName, trainingCases } from './cases.js'

/** Where the time of a training step goes. */
export interface TrainingProfile {
  readonly title: string
  readonly batch: number
  /** Median of steps without the profiler. */
  readonly stepMs: number
  /** Sum over all operators, while the profiler ran. */
  readonly operatorsMs: number
  /** Scopes of the backward pass begin with `gradient/`, those of AdamW with `optimiser`. */
  readonly rows: readonly ProfileRow[]
}

const profiledSteps = 5

/** One row for all that the optimiser does, not one for each parameter. */
function withoutParameters(node: string): string {
  return node.replace(/^optimiser\..*\//, 'optimiser/')
}

async function profileCase(
  name: TrainingCaseName,
  { threads, signal }: BenchTrainingOptions,
): Promise<TrainingProfile> {
  const { title, batch, build } = trainingCases[name]
  const job = { kind: 'training' as const }
  const load = { device: 'cpu', threads, precision: 'fp32', workload: { kind: 'training', name } } as const

  await using alone = new BenchProcess(title, signal)
  await alone.ask('load', load)
  await alone.ask('warmUp', { job })
  const runs = await alone.ask('sample', { job, atLeastMs: 0, atLeastRuns: profiledSteps })

  await using folder = await temporaryFolder('blvit-profile-')
  await using profiled = new BenchProcess(title, signal)
  await profiled.ask('load', { ...load, profileFolder: folder.path })
  const nodes = await profiled.ask('profile', { job, runs: profiledSteps })
  const named = nodes.map((node) => ({ ...node, node: withoutParameters(node.node) }))
  const rows = rowsOf(named, multiplyAddsByScope(build().graph, { batch }), profiledSteps)
  return {
    title,
    batch,
    stepMs: median(runs.map(({ ms }) => ms)),
    operatorsMs: rows.reduce((sum, { ms }) => sum + ms, 0),
    rows,
  }
}

/**
 * Where the time of training steps goes, by scope and operator.
 * @throws BlvitError `ENGINE`, `ABORTED`
 */
export async function profileTraining(options: BenchTrainingOptions = {}): Promise<TrainingProfile[]> {
  const profiles: TrainingProfile[] = []
  for (const name of Object.keys(trainingCases) as TrainingCaseName[])
    profiles.push(await profileCase(name, options))
  return profiles
}
