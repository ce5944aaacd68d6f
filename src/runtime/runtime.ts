import type { Bindings } from '../graph/dim.js'
import type { Graph } from '../graph/graph.js'
import type { Precision, Target } from '../graph/lowering.js'
import type { StoredTensors } from '../weights/stored-tensor.js'
import type { Device } from './device.js'

/** Numbers going into or coming out of a session, row-major. */
export type TensorData =
  | { readonly dtype: 'float32'; readonly shape: readonly number[]; readonly values: Float32Array }
  | { readonly dtype: 'int64'; readonly shape: readonly number[]; readonly values: BigInt64Array }

export type NamedTensors = Readonly<Record<string, TensorData>>

/** A loaded graph. Holds native memory and threads until {@link Session.dispose}. */
export interface Session extends AsyncDisposable {
  /**
   * @param options `into`: memory that outputs of those names may be written into, so that the engine need not
   *   allocate any. Read them from the result all the same: WebAssembly can't write into memory outside its own.
   *   `lane`: which of the engines of {@link LaneSource.open} is to run it. Default 0
   * @throws BlvitError `ENGINE` if the engine refuses the inputs or runs out of memory
   */
  run(inputs: NamedTensors, options?: { into?: NamedTensors; lane?: number }): Promise<NamedTensors>
  /** Writes the profile that {@link LoadOptions.profilePrefix} asked for and records nothing more. */
  endProfile(): Promise<void>
  dispose(): Promise<void>
}

export interface LoadOptions {
  /** Threads of the engine; default: one per physical core, as the engine chooses. */
  readonly threads?: number | undefined
  /** What the graph computes in; its inputs and outputs are float32. Default `fp32`. */
  readonly precision?: Precision | undefined
  /** Names of parameters that change from run to run: they are fed like inputs and need no weights. */
  readonly trained?: ReadonlySet<string> | undefined
  /**
   * Sizes that every run will have, e.g. `{ batch: 16 }`: their shapes then are constants. A training step on WebGPU
   * needs the batch's, because nothing there computes with shapes.
   */
  readonly sizes?: Bindings | undefined
  /** Record the time of each node into a file whose name starts so; native engines only. */
  readonly profilePrefix?: string | undefined
}

/** Where several engines can run beside each other in one process. */
export interface LaneSource {
  /** Processors that this process may use. */
  readonly processors: number
  /** Memory that can still be had, in bytes. */
  freeBytes(): number
  /**
   * The same engine several times, each on a thread of its own: a session of it is open in all of them, its weights mapped
   * from the same file.
   * @param options `atOnce`: how many open now; each other one opens when its first run comes
   */
  open(lanes: number, options: { readonly atOnce: number }): Promise<Runtime>
}

/** An engine that runs graphs. It knows no model. */
export interface Runtime {
  readonly device: Device
  /** For people: `"ONNX Runtime 1.30.0, native CPU"`. */
  readonly description: string
  readonly target: Target
  /** Absent: runs can only follow each other here. */
  readonly lanes?: LaneSource | undefined
  /** @param weights every parameter of the graph, in the graph's shapes */
  load(graph: Graph, weights: StoredTensors, options?: LoadOptions): Promise<Session>
  /** Ends the engine's thread if no session is open; for who chose a runtime and then loads nothing. */
  rest(): Promise<void>
}

/** A runtime and why it was taken. */
export interface ChosenRuntime {
  readonly runtime: Runtime
  /** For people, e.g. `"the native library is the fastest here"`. */
  readonly reason: string
}
