import {
  type Classification,
  listMethods,
  type Model,
  type Pixels,
  type Trace,
  type TracePanels,
  tracePanels,
} from 'blvit/web'
import { type CallContext, serve } from './messages.js'
import { type Asked, askModel, costOf, openModel, threads, useDevice } from './models.js'
import { type Photo, pixelsOf } from './photos.js'
import {
  cutOutMask,
  encodePhoto,
  findAll,
  foundAt,
  keptSegmenter,
  openSegmenter,
  predict,
} from './segmenter.js'
import { download, learn, stopTraining, train } from './teacher.js'

/** What a model says of a photo, and what that took. */
export interface Seen {
  /** Best first. */
  readonly top: Classification['top']
  /** The engine's time for it, here and now. */
  readonly elapsedMs: number
  /** With the products of attention. */
  readonly multiplyAdds: number
  /** For people: `keep ratio 0.5`, `evit:0.7`, `plain`. */
  readonly setting: string
}

/** The way of a photo's patches. */
export interface Route {
  readonly trace: Trace
  readonly panels: TracePanels
  /** Layers of the model. */
  readonly depth: number
}

/** What is told while a photo is looked at, beside what the engine tells of itself. */
export interface SeeProgress {
  readonly seen: Seen
}

/** A method that lets tokens go, by a text that `--reduce` takes. */
export interface Method {
  readonly name: string
  readonly about: string
  readonly example: string
}

/** The engine as it was chosen. */
export interface EngineState {
  /** `ONNX Runtime 1.30.0 WebAssembly` */
  readonly description: string
  readonly device: string
  readonly reason: string
  readonly threads: number
  /** Whether the page may share memory between threads. */
  readonly isolated: boolean
}

/** Labels at most. */
const top = 5

/** Lets messages in, an abort among them. */
const turn = () => new Promise<void>((resolve) => setTimeout(resolve))

/** The graphs of each model that have run: the first run of one also takes memory and makes its kernels. */
const warm = new WeakMap<Model, Set<string>>()

/** The answer, and the time of a run that is not the first of its graph. */
async function timedAnswer(
  model: Model,
  picture: Pixels,
  { settings, signal }: { readonly settings: Asked['settings']; readonly signal: AbortSignal },
): Promise<Classification> {
  const { buildKey } = model.resolve(settings)
  const graphs = warm.get(model) ?? new Set()
  warm.set(model, graphs)
  const ask = () => model.classify(picture, { ...settings, top, signal })
  const first = await ask()
  if (graphs.has(buildKey)) return first
  graphs.add(buildKey)
  await turn()
  return ask()
}

interface See {
  readonly photo: Photo
  readonly asked: Asked
  readonly traced: boolean
}

interface Sight {
  readonly seen: Seen
  readonly route: Route | undefined
}

async function seeBy(
  model: Model,
  { photo, asked, traced }: See,
  { signal, onProgress }: CallContext,
): Promise<Sight> {
  const tell = (progress: SeeProgress) => onProgress(progress)
  const { settings } = asked
  const picture = await pixelsOf(photo)
  await turn()
  signal.throwIfAborted()
  const { top: labels, elapsedMs } = await timedAnswer(model, picture, { settings, signal })
  const { multiplyAdds, setting } = costOf(model, settings)
  const seen = { top: labels, elapsedMs, multiplyAdds: multiplyAdds.full, setting }
  if (!traced) return { seen, route: undefined }
  tell({ seen })
  await turn()
  signal.throwIfAborted()
  const { architecture, build } = model.resolve(settings)
  if (architecture.build(build).history.length === 0) return { seen, route: undefined }
  const trace = await model.trace(picture, { ...settings, top, signal })
  return { seen, route: { trace, panels: tracePanels(trace), depth: architecture.facts.depth } }
}

async function see(what: See, context: CallContext): Promise<Sight> {
  return askModel(what.asked.model, context, (model) => seeBy(model, what, context))
}

/** The multiply-adds of a model at some settings. */
async function costs(
  {
    model: name,
    settings,
  }: { readonly model: Asked['model']; readonly settings: readonly Asked['settings'][] },
  { signal, onProgress }: CallContext,
): Promise<number[]> {
  const model = await openModel(name, { signal, onProgress })
  return settings.map((setting) => costOf(model, setting).multiplyAdds.full)
}

/** The methods that a model can do without having learned anything for them. */
async function methods(model: Asked['model'], { signal, onProgress }: CallContext): Promise<Method[]> {
  const opened = await openModel(model, { signal, onProgress })
  return listMethods().reductions.filter(({ example }) => {
    try {
      opened.resolve({ reduce: example })
      return true
    } catch {
      return false
    }
  })
}

async function engine(model: Asked['model'], { signal, onProgress }: CallContext): Promise<EngineState> {
  const { engine: chosen } = await openModel(model, { signal, onProgress })
  const { device, description } = chosen.runtime
  return { device, description, reason: chosen.reason, threads, isolated: globalThis.crossOriginIsolated }
}

const calls = {
  ...{ useDevice, see, costs, methods, engine },
  ...{ learn, train, stopTraining, download },
  ...{ keptSegmenter, openSegmenter, encodePhoto, predict, cutOutMask, findAll, foundAt },
}

export type EngineCalls = typeof calls

serve(calls)
