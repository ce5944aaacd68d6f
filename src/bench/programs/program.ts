import type { EngineChoice, Setting } from '../messages.js'

/** A loaded workload. */
export interface Program {
  /** Who runs it, e.g. `ONNX Runtime 1.30.0 native`. */
  readonly engine: string
  run(setting: Setting): Promise<unknown>
  /** Writes what the engine recorded since it was loaded; it records nothing afterwards. */
  endProfile(): Promise<void>
  dispose(): Promise<void>
}

export interface ProgramOptions extends EngineChoice {
  /** Where the engine writes its profile; undefined: it keeps none. */
  readonly profilePrefix: string | undefined
}
