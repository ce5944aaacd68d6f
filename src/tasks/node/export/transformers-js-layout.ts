import type { Precision } from '../../../graph/lowering.js'
import type { ConfigJson } from '../../../models/architecture.js'
import type { ExportOutputsOptions } from './export-onnx.js'

/** What transformers.js wants of a model that is to do some task. */
export interface TransformersJsLayout {
  /** config.json @param precision what the files that may be rounded are computed in */
  config(precision: Precision): ConfigJson
  /** preprocessor_config.json */
  readonly preprocessor: ConfigJson
  /** The files in `onnx/`, without their endings; one that has a precision of its own has no other. */
  readonly files: readonly {
    readonly name: string
    readonly precision?: Precision
    readonly outputs: ExportOutputsOptions['outputs']
  }[]
  /** The hub's name of what it does. */
  readonly task: string
  /** A program that uses it. */
  readonly example: string
}
