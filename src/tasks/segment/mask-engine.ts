import { BlvitError, throwIfAborted } from '../../base/blvit-error.js'
import type { RunIdentity } from '../../base/run-identity.js'
import { checkFinite } from '../../engine/check-finite.js'
import { Engine, type EngineRunOptions } from '../../engine/engine.js'
import { LoadedGraphs } from '../../engine/loaded-graphs.js'
import { graphOf } from '../../graph/graph.js'
import type { Size } from '../../image/crop-window.js'
import type { Pixels } from '../../image/pixels.js'
import { runWithPauses } from '../../image/steps.js'
import { modelFingerprint } from '../../model-store/fingerprint.js'
import type { ModelFiles } from '../../model-store/model-files.js'
import type { Architecture } from '../../models/architecture.js'
import type { MaskFrame } from '../../models/masks/mask-frame.js'
import { promptInputs } from '../../models/masks/prompt-encoder.js'
import { pixelsInput, programOf } from '../../models/model-definition.js'
import { engineIdentity } from '../../runtime/engine-identity.js'
import type { ChosenRuntime, LoadOptions, NamedTensors, TensorData } from '../../runtime/runtime.js'
import { framePictureSteps } from '../../segmentation/frame-pixels.js'
import type { LowResMasks } from '../../segmentation/low-res-masks.js'
import type { FramePrompts } from '../../segmentation/prompts.js'
import { resolveSettings } from '../../settings/resolve.js'
import { type Settings, settingsOf } from '../../settings/settings.js'
import { type FedPoints, fedPoints } from './frame-points.js'

/** A picture that was encoded: what prompts are answered of, again and again. */
export interface EncodedFrame {
  /** `[width, rows, columns]` */
  readonly embedding: Float32Array
  /** Of the picture, in pixels. */
  readonly original: Size
  /** Of the picture within the frame. */
  readonly resized: Size
}

export interface EncodeFrameOptions extends EngineRunOptions {
  readonly signal?: AbortSignal | undefined
}

export interface DecodeFrameOptions {
  /** The masks for one thing that several may be meant by; else the single one. Default true. */
  readonly multimask?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** Prompts that are answered in one run. What more of them leave between two operators is no longer in a processor's caches. */
const promptsPerRun = { processor: 4, webgpu: 64 } as const

function lengthOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1)
}

function floats(shape: readonly number[], values: Float32Array): TensorData {
  return { dtype: 'float32', shape, values }
}

/** Some of the prompts. */
function part(prompts: FramePrompts, from: number, to: number): FramePrompts {
  const rows = (values: Float32Array | undefined) => {
    if (!values) return undefined
    const each = values.length / prompts.count
    return values.subarray(from * each, to * each)
  }
  const { points, labels, boxes, masks } = prompts
  return {
    count: to - from,
    ...{ points: rows(points), labels: rows(labels), boxes: rows(boxes), masks: rows(masks) },
  }
}

/**
 * The two graphs of a model that cuts things out of pictures, with their weights: one makes an embedding of a picture, the
 * other masks of an embedding and prompts. Holds native memory until `dispose()`.
 */
export class MaskEngine implements AsyncDisposable {
  readonly architecture: Architecture
  readonly frame: MaskFrame
  private encoder: Promise<Engine> | undefined
  private disposed = false
  private readonly decoders = new LoadedGraphs()

  /** @throws BlvitError `UNSUPPORTED` for a model that has no masks */
  constructor(
    private readonly files: ModelFiles,
    /** The engine that runs it, and why that one. */
    readonly engine: ChosenRuntime,
    private readonly options: Pick<LoadOptions, 'threads' | 'precision'> = {},
  ) {
    const { architecture } = files
    const { masks } = architecture.facts
    if (!masks) {
      throw new BlvitError(
        'UNSUPPORTED',
        `A ${architecture.family} cuts nothing out of pictures. Take a Segment Anything model (sam-b, sam-l, sam-h).`,
      )
    }
    this.architecture = architecture
    this.frame = masks
  }

  /**
   * One that failed to load is tried again when it is asked for.
   * @param settings those that are loaded at once, where nothing is loaded yet
   * @throws BlvitError `ENGINE` after {@link dispose}: nobody would free it
   */
  private async loadEncoder(settings: Settings): Promise<Engine> {
    if (this.disposed)
      throw new BlvitError('ENGINE', 'The engine was disposed. Load the model again to use it.')
    if (this.encoder) return this.encoder
    const { architecture, weights } = this.files
    const parts = { architecture, weights, runtime: this.engine.runtime }
    const loading = Engine.load(parts, (model) => programOf(model, 'encode'), { ...this.options, settings })
    this.encoder = loading
    loading.catch(() => {
      this.encoder = undefined
    })
    return loading
  }

  /**
   * What the model sees in a picture.
   * @throws BlvitError `ABORTED`, `ENGINE`, `BAD_OPTION` for impossible settings
   */
  async encode(pixels: Pixels, { signal, ...run }: EncodeFrameOptions = {}): Promise<EncodedFrame> {
    // before the picture is looked at: a wrong setting is told at once
    resolveSettings(this.architecture, settingsOf(run))
    const framing = runWithPauses(framePictureSteps(pixels, this.frame), { signal })
    const [encoder, { input, resized }] = await Promise.all([this.loadEncoder(settingsOf(run)), framing])
    throwIfAborted(signal)
    const { outputs } = await encoder.run({ batch: 1, inputs: { [pixelsInput]: input } }, run)
    throwIfAborted(signal)
    const { width, height } = pixels
    return { embedding: valuesOf(outputs, 'image_embeddings'), original: { height, width }, resized }
  }

  /**
   * Masks for prompts, each by itself; thousands are answered in several runs.
   * @param embedding of {@link encode}, or one that was saved
   * @throws BlvitError `BAD_OPTION` for prompts or an embedding of other sizes, or numbers that are none; `UNSUPPORTED` for masks
   *   as prompts where the model takes none; `ABORTED`, `ENGINE`
   */
  async decode(
    embedding: Float32Array,
    prompts: FramePrompts,
    { multimask = true, signal }: DecodeFrameOptions = {},
  ): Promise<LowResMasks> {
    this.checkPrompts(embedding, prompts)
    const { maskRows: rows, maskColumns: columns } = this.frame
    const points = fedPoints(prompts, this.frame)
    const runs: LowResMasks[] = []
    const most = promptsPerRun[this.engine.runtime.target === 'webgpu' ? 'webgpu' : 'processor']
    for (let from = 0; from < prompts.count; from += most) {
      throwIfAborted(signal)
      const to = Math.min(prompts.count, from + most)
      const outputs = await this.run(embedding, pointsOf(points, from, to), part(prompts, from, to))
      runs.push(chosenMasks(outputs, { multimask, count: to - from, rows, columns }))
    }
    return joined(runs, { rows, columns })
  }

  private checkPrompts(embedding: Float32Array, { count, points, boxes, masks }: FramePrompts): void {
    const complain = (text: string) => new BlvitError('BAD_OPTION', text)
    const { embedding: shape, maskRows, maskColumns, takesMasks } = this.frame
    if (embedding.length !== lengthOf(shape)) {
      throw complain(
        `The embedding has ${embedding.length} numbers, but this model's are [${shape.join(', ')}]: it is another model's.`,
      )
    }
    if (!Number.isInteger(count) || count < 0)
      throw complain(`${count} prompts can't be answered: give a whole number.`)
    if (!masks) {
      if (count > 0 && !points && !boxes) throw complain('Prompts need points, boxes or masks: give some.')
      return
    }
    if (!takesMasks) {
      throw new BlvitError('UNSUPPORTED', 'This model takes no masks as prompts. Give points or boxes.')
    }
    if (masks.length !== count * maskRows * maskColumns) {
      throw complain(
        `Masks as prompts must be the logits of an earlier answer, [${count}, ${maskRows}, ${maskColumns}], not ${masks.length} numbers.`,
      )
    }
    if (!masks.every(Number.isFinite)) throw complain('A mask as prompt holds values that are no numbers.')
  }

  /** The decoder for prompts with or without masks; where sizes must be numbers, for so many of them. */
  private loadDecoder(program: 'decode' | 'refine', sizes: { prompts: number; points: number }) {
    const { architecture, weights } = this.files
    const { runtime } = this.engine
    const fixed = runtime.target === 'webgpu' ? sizes : undefined
    const key = [program, ...(fixed ? [fixed.prompts, fixed.points] : [])].join(' ')
    return this.decoders.for(key, async () => {
      const graph = graphOf(`${architecture.family} ${program}`, programOf(architecture.build(), program))
      const options = { ...this.options, ...(fixed && { sizes: fixed }) }
      return { graph, session: await runtime.load(graph, weights, options) }
    })
  }

  private async run(
    embedding: Float32Array,
    fed: FedPoints,
    { count, masks }: FramePrompts,
  ): Promise<NamedTensors> {
    const { embedding: shape, maskRows, maskColumns } = this.frame
    const { points, coordinates, labels } = fed
    const { session } = await this.loadDecoder(masks ? 'refine' : 'decode', { prompts: count, points })
    const outputs = await session.run({
      [promptInputs.embedding]: floats([1, ...shape], embedding),
      [promptInputs.coordinates]: floats([count, points, 2], coordinates),
      [promptInputs.labels]: floats([count, points], labels),
      ...(masks && { [promptInputs.masks]: floats([count, 1, maskRows, maskColumns], masks) }),
    })
    const { precision = 'fp32' } = this.options
    await checkFinite(outputs, { precision, weights: this.files.weights })
    return outputs
  }

  /** What its answers depend on: configuration, weights, device, threads, precision. Reads all weights. */
  async identity(): Promise<RunIdentity> {
    return { model: await modelFingerprint(this.files), ...engineIdentity(this.engine, this.options) }
  }

  /** Frees the engine's memory. */
  async dispose(): Promise<void> {
    this.disposed = true
    const encoder = await this.encoder?.catch(() => undefined)
    await Promise.all([encoder?.dispose(), this.decoders.dispose()])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}

function valuesOf(outputs: NamedTensors, name: string): Float32Array {
  const { values } = outputs[name] ?? {}
  if (values instanceof Float32Array) return values
  throw new Error(`blvit bug: no floats in ${name}`)
}

/** Points of some of the prompts. */
function pointsOf({ points, coordinates, labels }: FedPoints, from: number, to: number): FedPoints {
  return {
    points,
    coordinates: coordinates.subarray(2 * points * from, 2 * points * to),
    labels: labels.subarray(points * from, points * to),
  }
}

/** The single mask of each prompt, or all others. */
function chosenMasks(
  outputs: NamedTensors,
  { multimask, count, rows, columns }: { multimask: boolean; count: number; rows: number; columns: number },
): LowResMasks {
  const [logits, ious] = [valuesOf(outputs, 'low_res_masks'), valuesOf(outputs, 'iou_predictions')]
  const all = ious.length / count
  const [first, masks] = multimask ? [1, all - 1] : [0, 1]
  const pick = (values: Float32Array, each: number) => {
    const picked = new Float32Array(count * masks * each)
    for (let prompt = 0; prompt < count; prompt++) {
      const from = (prompt * all + first) * each
      picked.set(values.subarray(from, from + masks * each), prompt * masks * each)
    }
    return picked
  }
  return { count, masks, rows, columns, logits: pick(logits, rows * columns), iouPredictions: pick(ious, 1) }
}

/** The answers of several runs as one. */
function joined(runs: readonly LowResMasks[], sides: { rows: number; columns: number }): LowResMasks {
  const [first, ...others] = runs
  if (!first) {
    return { count: 0, masks: 0, ...sides, logits: new Float32Array(), iouPredictions: new Float32Array() }
  }
  if (others.length === 0) return first
  const all = (of: (run: LowResMasks) => Float32Array) => {
    const joint = new Float32Array(runs.reduce((sum, run) => sum + of(run).length, 0))
    let at = 0
    for (const run of runs) {
      joint.set(of(run), at)
      at += of(run).length
    }
    return joint
  }
  return {
    ...first,
    count: runs.reduce((sum, { count }) => sum + count, 0),
    logits: all(({ logits }) => logits),
    iouPredictions: all(({ iouPredictions }) => iouPredictions),
  }
}
