/**
 * blvit: big.LITTLE Vision Transformers. Every public name is listed here; `docs/library.md` shows what they are for.
 * @packageDocumentation
 */

// Errors

export { BlvitError, type ErrorCode, type ErrorFields } from './base/blvit-error.js'

// Run a model: labels, vectors, traces

export type { LanePlan, Parallel } from './engine/lane-plan.js'
export type { ImageInput } from './image/image-input.js'
export { decodeImage } from './image/node/decode.js'
export type { Pixels } from './image/pixels.js'
export type { DecodeOptions, PrepareOptions } from './image/prepare.js'
export { type Preprocessing, preprocess } from './image/preprocessing.js'
export { defaultModel, shippedModels } from './model-store/node/shipped-models.js'
export type { Classification, ScoredLabel } from './problems/classify.js'
export type { EmbedOptions, Pooling } from './problems/embed.js'
export * as problems from './problems/index.js'
export type { AnswerContext, OutputRow, Problem } from './problems/problem.js'
export { type TokenMaskJson, tokenMaskText } from './reduction/token-mask.js'
export type { Device, DeviceRequest } from './runtime/device.js'
export { chooseRuntime } from './runtime/node/choose.js'
export type { ChosenRuntime, NamedTensors, Runtime, Session, TensorData } from './runtime/runtime.js'
export { type ResolvedSettings, resolveSettings } from './settings/resolve.js'
export type { Settings } from './settings/settings.js'
export type { ClassifyOptions, Model } from './tasks/model.js'
export {
  type Calibrated,
  type CalibrateOptions,
  calibrateTokenMask,
} from './tasks/node/calibrate/calibrate-mask.js'
export { type ClassifyManyOptions, classifyMany, type PictureResult } from './tasks/node/classify-many.js'
export { type EmbeddedPicture, type EmbedManyOptions, embedMany } from './tasks/node/embed/embed-many.js'
export { type LoadModelOptions, load } from './tasks/node/load.js'
export type { ImageClassificationOptions, LabelScore } from './tasks/node/pipelines/image-classification.js'
export type {
  FeatureTensor,
  ImageFeatureExtractionOptions,
} from './tasks/node/pipelines/image-feature-extraction.js'
export { type Pipeline, type PipelineTask, pipeline } from './tasks/node/pipelines/index.js'
export type {
  GeneratedMask,
  GeneratedMasks,
  MaskGenerationOptions,
} from './tasks/node/pipelines/mask-generation.js'
export { readSettings } from './tasks/node/read-settings.js'
export type { FindObjects } from './tasks/object-finder.js'
export type { GrownMask, ObjectMask } from './tasks/object-regions.js'
export { tracePng } from './tasks/trace/node/trace-png.js'
export type { TraceOptions } from './tasks/trace/trace.js'
export { type Partition, partition, type Trace, type TracedStep } from './tasks/trace/traced-steps.js'
export type { Answered } from './tasks/two-stages.js'

// Cut out what prompts mean

export type { EverythingOptions, EverythingProgress, FoundMask } from './segmentation/everything.js'
export type { MaskLogits, PointPrompt, Prompt } from './segmentation/prompts.js'
export { type BoxXywh, decodeRle, encodeRle, type Rle, rleFromText, rleText } from './segmentation/rle.js'
export type { LoadMaskEngineOptions } from './tasks/node/segment/load-mask-engine.js'
export { loadSegmenter } from './tasks/node/segment/load-segmenter.js'
export type {
  EncodedPicture,
  PictureEmbedding,
  PredictedMask,
  PredictOptions,
} from './tasks/segment/encoded-picture.js'
export type { EncodeOptions, Segmenter } from './tasks/segment/segmenter.js'

// Measure how good it is, on one machine or several

export type { Shard } from './base/shard.js'
export { type Share, shareOf } from './base/share.js'
export type { BadSample, DataItem, DataSet, Sample } from './data/data-set.js'
export { type OpenDataSetOptions, openDataSet } from './data/open-data-set.js'
export {
  type EvaluateOptions,
  type Evaluation,
  type EvaluationProgress,
  type EvaluationTiming,
  evaluate,
} from './tasks/node/evaluate/evaluate.js'
export type { Answer, PictureOutcome } from './tasks/node/evaluate/picture-outcome.js'
export type { Accuracy, Counts, SettingResult } from './tasks/node/evaluate/tally.js'
export { type Merged, mergeParts } from './tasks/node/merge-parts.js'
export { type EvaluateMasksOptions, evaluateMasks } from './tasks/node/segment/evaluate/evaluate-masks.js'
export type { MaskReport, PromptResult } from './tasks/node/segment/evaluate/mask-report.js'

// Count what a model costs, list what saves it

export { type Analysis, type AnalyzeOptions, analyze } from './tasks/analyze/analyze.js'
export { listMethods, type MethodList, type SavingFamily } from './tasks/list-methods.js'

// Models as files: folders, the hub, conversion, export

export { type Conversion, convert } from './model-store/convert.js'
export type { ModelFiles } from './model-store/model-files.js'
export { type ConvertFolderOptions, convertFolder } from './model-store/node/convert-folder.js'
export { findConfiguration } from './model-store/node/find-configuration.js'
export { openModel } from './model-store/node/open-model.js'
export { type WriteFolderOptions, writeModelFolder } from './model-store/node/write-model-folder.js'
export {
  type ExportFolderOptions,
  exportForTransformersJs,
} from './tasks/node/export/export-for-transformers-js.js'
export { type Exported, type ExportOptions, exportOnnx } from './tasks/node/export/export-onnx.js'
export { type DownloadOptions, downloadModel } from './weights/node/hub/download-model.js'
export { type NpyArray, readNpy, writeNpy } from './weights/npy.js'

// Train: classes of one’s own, a small copy of a teacher, anything by a recipe

export { type Finetuned, finetune } from './finetune/finetune.js'
export type { FinetuneOptions, FinetuneProgress } from './finetune/finetune-options.js'
export type { FinetuneReport } from './finetune/report/report.js'
export { recipes } from './recipes/index.js'
export type { Recipe, Stage } from './recipes/recipe.js'
export { type DistillOptions, distill } from './trainer/distill.js'
export { findRecipe } from './trainer/find-recipe.js'
export type { StepReport, ValidationReport } from './trainer/step-report.js'
export { type Training, train } from './trainer/train.js'
export type { TrainOptions } from './trainer/train-options.js'

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
export { type BlockImitation, blockImitation } from './training/block-imitation.js'
export { learningRateAt, type Schedule } from './training/learning-rate.js'
export * as objectives from './training/objectives/index.js'
export { type LearningRateScale, layerDecay, type ParameterGroup } from './training/parameter-groups.js'
export { TrainingSession, type TrainingSessionOptions } from './training/training-session.js'
export { type TrainingStep, type TrainingStepOptions, trainingStep } from './training/training-step.js'
