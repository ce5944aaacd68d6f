import { BlvitError } from '../base/blvit-error.js'
import type { Graph } from '../graph/graph.js'
import type { LoadOptions, NamedTensors, Runtime, Session, TensorData } from '../runtime/runtime.js'
import type { StoredTensors } from '../weights/stored-tensor.js'
import { type StateTensor, stepInputs } from './adamw.js'
import { elementsOf, StateBuffers } from './state-buffers.js'
import type { Accumulation, TrainingStep } from './training-step.js'

export interface TrainingSessionOptions extends Omit<LoadOptions, 'trained'> {
  /**
   * The trained parameters' numbers to begin with, row-major, by name; taken over as they are, not copied. To go on
   * with an earlier session: all of its {@link TrainingSession.state}.
   */
  readonly start: ReadonlyMap<string, Float32Array>
  /** How many steps were made before, which the optimiser's bias correction depends on (0). */
  readonly steps?: number
  /** The weights of frozen parameters. */
  readonly frozen?: StoredTensors
}

function startOf(
  { input, startsAs, shape }: StateTensor,
  start: ReadonlyMap<string, Float32Array>,
): Float32Array {
  const size = elementsOf(shape)
  const withoutPast = startsAs === undefined ? new Float32Array(size) : start.get(startsAs)
  const values = start.get(input) ?? withoutPast
  if (values?.length === size) return values
  throw new BlvitError(
    'BAD_WEIGHTS',
    `Training needs ${size} numbers [${shape.join(', ')}] to start ${input} with, but got ${values?.length ?? 'none'}.`,
    { parameter: input, shape },
  )
}

function scalar(value: number): TensorData {
  return { dtype: 'float32', shape: [1], values: Float32Array.of(value) }
}

/** What a graph takes of some tensors. */
function fedTo({ inputs, parameters }: Graph, state: ReadonlyMap<string, TensorData>): NamedTensors {
  const names = [...inputs.map(({ leaf }) => leaf?.name ?? ''), ...parameters.map(({ name }) => name)]
  const fed = names.flatMap((name) => {
    const data = state.get(name)
    return data ? [[name, data] as const] : []
  })
  return Object.fromEntries(fed)
}

/** The batches of an accumulation that is under way. */
interface Gathering {
  readonly session: Session
  readonly graph: Graph
  readonly sums: StateBuffers
  readonly batches: number
  /** Since the last update. */
  gathered: number
}

async function openGathering(
  { graph, sums, batches }: Accumulation,
  load: (graph: Graph) => Promise<Session>,
): Promise<Gathering> {
  const zeros = ({ shape }: StateTensor) => new Float32Array(elementsOf(shape))
  return { session: await load(graph), graph, sums: new StateBuffers(sums, zeros), batches, gathered: 0 }
}

/** Runs a training step again and again. Its state is never copied, see {@link StateBuffers}. */
export class TrainingSession implements AsyncDisposable {
  /** Finished updates, those of earlier sessions included. */
  private done: number
  private readonly buffers: StateBuffers

  private constructor(
    private readonly step: TrainingStep,
    private readonly session: Session,
    private readonly gathering: Gathering | undefined,
    { start, steps }: { start: ReadonlyMap<string, Float32Array>; steps: number },
  ) {
    this.done = steps
    this.buffers = new StateBuffers(step.state, (tensor) => startOf(tensor, start))
  }

  /**
   * Loads a training step into an engine.
   * @throws BlvitError `BAD_WEIGHTS` if a parameter has no start or one of another size, `ENGINE` if the engine
   *   refuses the graph
   */
  static async open(
    runtime: Runtime,
    step: TrainingStep,
    { start, steps = 0, frozen = new Map(), ...options }: TrainingSessionOptions,
  ): Promise<TrainingSession> {
    for (const state of step.state) startOf(state, start)
    const trained = new Set(step.state.map(({ input }) => input))
    const load = (graph: Graph) => runtime.load(graph, frozen, { ...options, trained })
    const session = await load(step.graph)
    try {
      const gathering = step.accumulation && (await openGathering(step.accumulation, load))
      return new TrainingSession(step, session, gathering, { start, steps })
    } catch (thrown) {
      await session.dispose()
      throw thrown
    }
  }

  /**
   * Takes one batch. It makes a step, unless {@link TrainingStepOptions.accumulate} says that several batches make
   * one: then every so many-th run does, and the learning rate of the others is ignored.
   * @param inputs what the loss is made of, e.g. pictures and labels
   * @returns the loss of this batch and the reports; of a run that makes a step the gradients' norm too
   * @throws BlvitError `ENGINE`; the state then is what it was before, and a step that failed takes its batches along
   */
  async run(inputs: NamedTensors, { learningRate }: { learningRate: number }): Promise<NamedTensors> {
    const { gathering } = this
    if (!gathering) return this.update(inputs, learningRate)
    const { session, graph, sums, batches } = gathering
    if (gathering.gathered === 0) sums.clear()
    const feeds = { ...inputs, ...fedTo(graph, this.state), ...Object.fromEntries(sums.current) }
    const reports = sums.advance(await session.run(feeds, { into: sums.into }))
    gathering.gathered += 1
    if (gathering.gathered < batches) return reports
    gathering.gathered = 0
    const norm = await this.update(Object.fromEntries(sums.current), learningRate)
    return { ...reports, ...norm }
  }

  private async update(inputs: NamedTensors, learningRate: number): Promise<NamedTensors> {
    const feeds = {
      ...inputs,
      ...Object.fromEntries(this.buffers.current),
      [stepInputs.learningRate]: scalar(learningRate),
      [stepInputs.step]: scalar(this.done + 1),
    }
    const reports = this.buffers.advance(await this.session.run(feeds, { into: this.buffers.into }))
    this.done += 1
    return reports
  }

  /** How many steps were made, those of earlier sessions included. */
  get steps(): number {
    return this.done
  }

  /**
   * How many batches were taken since the last step: 0 where each batch makes one. What they gave isn't part of the
   * state, so that a checkpoint that shall go on exactly belongs where this is 0.
   */
  get gathered(): number {
    return this.gathering?.gathered ?? 0
  }

  /**
   * The state after the last step by the names of its inputs: trained parameters under their own names, what the
   * optimiser remembers under `first_moment/…`, `second_moment/…`, `ema/…`. The memory is the session's: the next
   * steps overwrite it.
   */
  get state(): ReadonlyMap<string, TensorData> {
    return this.buffers.current
  }

  /** Writes the profile that `profilePrefix` asked for and records nothing more. */
  async endProfile(): Promise<void> {
    await this.session.endProfile()
  }

  async dispose(): Promise<void> {
    await this.gathering?.session.dispose()
    await this.session.dispose()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }
}
