/**
 * blvit in a browser: what of the library needs no Node, under the same names. `docs/library.md` shows what they are for.
 * @packageDocumentation
 */

// Errors

export { BlvitError, type ErrorCode, type ErrorFields } from './base/blvit-error.js'

// Run a model: labels, vectors, traces

export { decodeImage } from './image/browser-decoder.js'
export type { ImageInput } from './image/image-input.js'
export type { PictureMask } from './image/picture-mask.js'
export type { Pixels } from './image/pixels.js'
export type { ImageDecoder, PrepareOptions } from './image/prepare.js'
export { type Preprocessing, preprocess } from './image/preprocessing.js'
export type { Classification, ScoredLabel } from './problems/classify.js'
export type { EmbedOptions, Pooling } from './problems/embed.js'
export * as problems from './problems/index.js'
export type { AnswerContext, OutputRow, Problem } from './problems/problem.js'
export { type TokenMaskJson, tokenMaskText } from './reduction/token-mask.js'
export { type BrowserDevice, chooseBrowserRuntime as chooseRuntime } from './runtime/browser.js'
export type { Device } from './runtime/device.js'
export type { ChosenRuntime, NamedTensors, Runtime, Session, TensorData } from './runtime/runtime.js'
export { type ResolvedSettings, resolveSettings } from './settings/resolve.js'
export type { Settings } from './settings/settings.js'
export { type BrowserLoadOptions, load } from './tasks/browser/load.js'
export type { ClassifyOptions, Model } from './tasks/model.js'
export type { FindObjects } from './tasks/object-finder.js'
export type { GrownMask, ObjectMask } from './tasks/object-regions.js'
export { type StepPanel, type TracePanels, tracePanels } from './tasks/trace/step-panels.js'
export type { TraceOptions } from './tasks/trace/trace.js'
export { type Partition, partition, type Trace, type TracedStep } from './tasks/trace/traced-steps.js'
export type { Answered } from './tasks/two-stages.js'

// Cut out what prompts mean

export type { EverythingOptions, EverythingProgress, FoundMask } from './segmentation/everything.js'
export { cutOut, paintMasks } from './segmentation/paint.js'
export type { MaskLogits, PointPrompt, Prompt } from './segmentation/prompts.js'
export { type BoxXywh, decodeRle, encodeRle, type Rle, rleFromText, rleText } from './segmentation/rle.js'
export { type BrowserLoadSegmenterOptions, loadSegmenter } from './tasks/browser/load-segmenter.js'
export type {
  EncodedPicture,
  PictureEmbedding,
  PredictedMask,
  PredictOptions,
} from './tasks/segment/encoded-picture.js'
export type { EncodeOptions, Segmenter } from './tasks/segment/segmenter.js'

// Measure how good it is, on one machine or several

export { type Share, shareOf } from './base/share.js'

// Count what a model costs, list what saves it

export { type Analysis, type AnalyzeOptions, analyze } from './tasks/analyze/analyze.js'
export { listMethods, type MethodList, type SavingFamily } from './tasks/list-methods.js'

// Models as files: folders, the hub, conversion, export

export { type Conversion, convert } from './model-store/convert.js'
export type { FetchProgress } from './model-store/download.js'
export {
  type CachedModel,
  clearCachedModels,
  keepModel,
  keptModel,
  listCachedModels,
} from './model-store/model-cache.js'
export type { ModelFiles, ModelJson } from './model-store/model-files.js'
export { type ChosenFile, type ModelParts, modelFromFiles } from './model-store/model-parts.js'
export { type NpyArray, readNpy, writeNpy } from './weights/npy.js'

// Train: classes of one’s own, a small copy of a teacher, anything by a recipe

export type { LayerProgress, TrainingEpoch } from './tasks/browser/learn-layers.js'
export type { ClassExamples, TaughtPicture } from './tasks/browser/study-classes.js'
export { type Taught, teach } from './tasks/browser/teach.js'
export { type TaughtLayers, type TeachLayersOptions, teachLayers } from './tasks/browser/teach-layers.js'
export type { TeachOptions, TeachProgress } from './tasks/browser/teach-options.js'

// Define models: architectures, layers, graphs

export { type Dim, evaluate as evaluateDim, type Shape, symbol } from './graph/dim.js'
export { gradients } from './graph/gradients.js'
export { type Graph, graphOf, type Parameter } from './graph/graph.js'
export { type OnnxOptions, toOnnx } from './graph/onnx/write.js'
export { defineOp, type Op, type OpDefinition } from './graph/op.js'
export * as ops from './graph/ops/index.js'
export { printGraph } from './graph/print.js'
export { scope } from './graph/scope.js'
export type { Tensor } from './graph/tensor.js'
export type { Architecture, ConfigJson, ModelFamily } from './models/architecture.js'
export { blvit } from './models/blvit.js'
export type { BlvitConfig, LittleConfig } from './models/blvit-config.js'
export { presets, readArchitecture, withChanges } from './models/index.js'
export type { BuildOptions, ModelDefinition, Program } from './models/model-definition.js'
export { vit } from './models/vit.js'
export type { VitConfig } from './models/vit-config.js'
export * as nn from './nn/index.js'

// Define trainings: a loss, its step, a session

export type { AdamwOptions, StateTensor } from './training/adamw.js'
export { learningRateAt, type Schedule } from './training/learning-rate.js'
export * as objectives from './training/objectives/index.js'
export { type LearningRateScale, layerDecay, type ParameterGroup } from './training/parameter-groups.js'
export { TrainingSession, type TrainingSessionOptions } from './training/training-session.js'
export { type TrainingStep, type TrainingStepOptions, trainingStep } from './training/training-step.js'
