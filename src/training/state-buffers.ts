import { assert, defined } from '../base/assert.js'
import type { NamedTensors, TensorData } from '../runtime/runtime.js'
import type { StateTensor } from './adamw.js'

type FloatTensor = Extract<TensorData, { dtype: 'float32' }>

function floats(data: TensorData | undefined): FloatTensor {
  assert(data?.dtype === 'float32', 'a step gave no floats for a state')
  return data
}

/**
 * State that lives from run to run, in two sets of buffers: each run reads one and writes the other, so that nothing
 * is copied and nothing is read where it is being written.
 */
export class StateBuffers {
  /** By the names of inputs; what the last run gave. */
  private latest: ReadonlyMap<string, FloatTensor>
  /** Memory that the next run may write into, by the names of inputs. */
  private spare: ReadonlyMap<string, FloatTensor>

  /** @param startOf the numbers that a tensor begins with, taken over as they are */
  constructor(
    private readonly tensors: readonly StateTensor[],
    startOf: (tensor: StateTensor) => Float32Array,
  ) {
    const buffers = (valuesOf: (tensor: StateTensor) => Float32Array) =>
      new Map(
        tensors.map((tensor): [string, FloatTensor] => [
          tensor.input,
          { dtype: 'float32', shape: tensor.shape, values: valuesOf(tensor) },
        ]),
      )
    const taken = new Set<Float32Array>()
    this.latest = buffers((tensor) => {
      const values = startOf(tensor)
      // two tensors may start as the same parameter, but each needs memory of its own
      const own = taken.has(values) ? values.slice() : values
      taken.add(own)
      return own
    })
    this.spare = buffers(({ shape }) => new Float32Array(elementsOf(shape)))
  }

  /** By the names of inputs. The memory is reused by the run after the next. */
  get current(): ReadonlyMap<string, FloatTensor> {
    return this.latest
  }

  /** Where a run may write, by the names of outputs. */
  get into(): NamedTensors {
    return Object.fromEntries(
      this.tensors.map(({ input, output }) => [output, defined(this.spare.get(input), 'a buffer')]),
    )
  }

  /** Takes over what a run gave, and returns its other results. */
  advance(results: NamedTensors): NamedTensors {
    const next = this.tensors.map(({ input, output }) => [input, floats(results[output])] as const)
    this.spare = this.latest
    this.latest = new Map(next)
    const own = new Set(this.tensors.map(({ output }) => output))
    return Object.fromEntries(Object.entries(results).filter(([name]) => !own.has(name)))
  }

  /** Begins again with zeros. */
  clear(): void {
    for (const { values } of this.latest.values()) values.fill(0)
  }
}

/** The number of elements of a shape. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1)
}
