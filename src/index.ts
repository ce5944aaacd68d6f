/**
 * blvit: big.LITTLE Vision Transformers. Every public name is listed here; `docs/library.md` shows each at work.
 * @packageDocumentation
 */

// Run a model
export { load, type LoadModelOptions } from './tasks/load.js'
export type { ClassifyOptions, Model } from './tasks/model.js'
export type { Classification, ScoredLabel } from './tasks/classification.js'
export { classifyMany, type ClassifyManyOptions, type PictureResult } from './tasks/classify-many.js'
export {
  type ImageClassificationOptions,
  type ImageClassificationPipeline,
  type LabelScore,
  pipeline,
} from './tasks/pipeline.js'
export { decodeImage, type DecodeOptions, type ImageInput } from './image/decode.js'
export type { Pixels } from './image/pixels.js'
export { type Preprocessing, preprocess } from './image/preprocessing.js'
export { defaultModel, shippedModels } from './tasks/shipped-models.js'

// Errors
export { BlvitError, type ErrorCode, type ErrorFields } from './errors/blvit-error.js'

// See where a model looked
export type { Trace, TracedSelection, TraceOptions } from './tasks/trace.js'
export { drawRoute } from './tasks/route-picture.js'

// Count what a model costs
export { type Analysis, type AnalyzeOptions, analyze } from './tasks/analyze.js'
export { findConfiguration } from './tasks/find-configuration.js'

// Make other models of it
export { convertFolder, type ConvertFolderOptions } from './tasks/convert-folder.js'
export { type Conversion, convert } from './tasks/convert.js'
export { type Exported, type ExportOptions, exportOnnx } from './tasks/export-onnx.js'
export { type ModelFiles, openModel } from './tasks/model-files.js'
export { type WriteFolderOptions, writeModelFolder } from './tasks/write-model-folder.js'
export { downloadModel, type DownloadOptions } from './weights/hub.js'

// Define models: architectures, layers, graphs
export type { Architecture, ConfigJson, ModelFamily } from './models/architecture.js'
export type { BlvitConfig, LittleConfig } from './models/blvit-config.js'
export { blvit } from './models/blvit.js'
export { presets, readArchitecture, withChanges } from './models/index.js'
export type { BuildOptions, ModelDefinition, Selection } from './models/model-definition.js'
export type { VitConfig } from './models/vit-config.js'
export { vit } from './models/vit.js'
export * as nn from './nn/index.js'
export * as ops from './graph/ops/index.js'
export { defineOp, type Op, type OpDefinition } from './graph/op.js'
export { type Dim, evaluate, type Shape, symbol } from './graph/dim.js'
export { type Graph, graphOf, type Parameter } from './graph/graph.js'
export { type OnnxOptions, toOnnx } from './graph/onnx/write.js'
export { printGraph } from './graph/print.js'
export { scope } from './graph/scope.js'
export type { Tensor } from './graph/tensor.js'
export { chooseRuntime, type ChosenRuntime, type DeviceRequest } from './runtime/choose.js'
export type { Device, NamedTensors, Runtime, Session, TensorData } from './runtime/runtime.js'
