import { defined } from '../errors/assert.js'
import { BlvitError } from '../errors/blvit-error.js'
import type { LoadOptions, NamedTensors, Runtime, Session, TensorData } from '../runtime/runtime.js'
import type { StoredTensors } from '../weights/stored-tensor.js'
import { type StateTensor, stepInputs } from './adamw.js'
import type { TrainingStep } from './training-step.js'

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

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1)
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

/**
 * Runs a training step again and again. The state lies in two sets of buffers: each step reads one and writes
 * the other, so that parameters and running means are never copied, and never read where they are being written.
 */
export class TrainingSession implements AsyncDisposable {
  /** Finished steps, those of earlier sessions included. */
  private done: number
  /** By the names of inputs; what the last step gave. */
  private current: ReadonlyMap<string, TensorData>
  /** Memory that the next step may write into, by the names of inputs. */
  private spare: ReadonlyMap<string, TensorData>

  private constructor(
    private readonly step: TrainingStep,
    private readonly session: Session,
    { start, steps }: { start: ReadonlyMap<string, Float32Array>; steps: number },
  ) {
    this.done = steps
    const states = (valuesOf: (state: StateTensor) => Float32Array) =>
      new Map(
        step.state.map((state) => {
          const data: TensorData = { dtype: 'float32', shape: state.shape, values: valuesOf(state) }
          return [state.input, data]
        }),
      )
    const taken = new Set<Float32Array>()
    this.current = states((state) => {
      const values = startOf(state, start)
      // two states may start as the same parameter, but each needs memory of its own
      const own = taken.has(values) ? values.slice() : values
      taken.add(own)
      return own
    })
    this.spare = states(({ shape }) => new Float32Array(elementsOf(shape)))
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
    const session = await runtime.load(step.graph, frozen, { ...options, trained })
    return new TrainingSession(step, session, { start, steps })
  }

  /**
   * Makes one step.
   * @param inputs what the loss is made of, e.g. pictures and labels
   * @returns the loss, the gradients' norm and the reports
   * @throws BlvitError `ENGINE`; the state then is what it was before
   */
  async run(inputs: NamedTensors, { learningRate }: { learningRate: number }): Promise<NamedTensors> {
    const results = await this.session.run(
      {
        ...inputs,
        ...Object.fromEntries(this.current),
        [stepInputs.learningRate]: scalar(learningRate),
        [stepInputs.step]: scalar(this.done + 1),
      },
      {
        into: Object.fromEntries(
          this.step.state.map(({ input, output }) => [output, defined(this.spare.get(input), 'a buffer')]),
        ),
      },
    )
    const next = this.step.state.map(
      ({ input, output }) => [input, defined(results[output], 'a state of the step')] as const,
    )
    this.spare = this.current
    this.current = new Map(next)
    this.done += 1
    const states = new Set(this.step.state.map(({ output }) => output))
    return Object.fromEntries(Object.entries(results).filter(([name]) => !states.has(name)))
  }

  /** How many steps were made, those of earlier sessions included. */
  get steps(): number {
    return this.done
  }

  /**
   * The state by the names of its inputs: trained parameters under their own names, what the optimiser remembers
   * under `first_moment/…`, `second_moment/…`, `ema/…`. The memory is the session's: the next steps overwrite it.
   */
  get state(): ReadonlyMap<string, TensorData> {
    return this.current
  }

  async dispose(): Promise<void> {
    await this.session.dispose()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }
}
