import shipped from 'virtual:shipped-models'
import { type Analysis, analyze, BlvitError, type BrowserDevice, load, type Model } from 'blvit/web'
import type { CallContext } from './messages.js'

/** A model of this page: one that comes with it, or the one that was taught here. */
export type ModelName = 'blvit-tiny' | 'vit-tiny' | 'yours'

/** A model and how it is to run: settings as `blvit/web` takes them. */
export interface Asked {
  readonly model: ModelName
  /** Tells a model that was taught anew from the one before. */
  readonly lesson?: number | undefined
  readonly settings: {
    readonly keepRatio?: number | undefined
    readonly reduce?: string | undefined
    readonly imageSize?: number | undefined
  }
}

/** How far the download of a model has come. */
export interface Downloading {
  readonly model: ModelName
  readonly downloadedBytes: number
  readonly totalBytes: number | undefined
}

/** What is told while a model is loaded. */
export type LoadProgress =
  | { readonly downloading: Downloading }
  /** Why its files can't be kept for the next visit. */
  | { readonly notKept: string }
  /** Why the graphics processor can't be used any more. */
  | { readonly lost: string }

/** Threads that the engine gets: without shared memory it can have one. */
export const threads = globalThis.crossOriginIsolated ? Math.min(8, navigator.hardwareConcurrency) : 1

/** The device that the page's address asks for; once a graphics processor was lost, WebAssembly. */
let device: BrowserDevice | undefined

/** Has models computed by a device, whatever there is. */
export async function useDevice(name: string): Promise<void> {
  // what is no device is told by who loads
  device = name as BrowserDevice
}

const opened = new Map<ModelName, Promise<Model>>()

/** The model of that name, fetched at its first use. @throws BlvitError */
export async function openModel(name: ModelName, { onProgress }: CallContext): Promise<Model> {
  const known = opened.get(name)
  if (known) return known
  const folder = name === 'yours' ? undefined : shipped[name]
  if (!folder) throw new Error('What was taught isn’t there any more. Teach it again.')
  const tell = (progress: LoadProgress) => onProgress(progress)
  let bytes = 0
  const opening = load(new URL(folder, location.href), {
    threads,
    device,
    cache: true,
    onProgress: ({ file, downloadedBytes, totalBytes }) => {
      if (!file.endsWith('.safetensors')) return
      bytes = downloadedBytes
      tell({ downloading: { model: name, downloadedBytes, totalBytes } })
    },
    onCacheFailure: (notKept) => tell({ notKept }),
  })
  opened.set(name, opening)
  try {
    return await opening
  } catch (thrown) {
    // the next call tries again
    opened.delete(name)
    throw thrown
  } finally {
    // hosts that compress on the way don't tell how much is all
    if (bytes > 0) tell({ downloading: { model: name, downloadedBytes: bytes, totalBytes: bytes } })
  }
}

/** Puts the model that was taught in the place of the one before. */
export async function keepTaught(model: Model): Promise<void> {
  const before = await opened.get('yours')
  opened.set('yours', Promise.resolve(model))
  await before?.dispose()
}

/**
 * Asks a model; where its graphics processor fails meanwhile, as when it is lost, the same model on WebAssembly.
 * @throws BlvitError
 */
export async function askModel<Answer>(
  name: ModelName,
  context: CallContext,
  ask: (model: Model) => Promise<Answer>,
): Promise<Answer> {
  const model = await openModel(name, context)
  try {
    return await ask(model)
  } catch (thrown) {
    const isEngines = thrown instanceof BlvitError && thrown.code === 'ENGINE'
    if (!isEngines || model.engine.runtime.device !== 'webgpu') throw thrown
    // of several questions at once the first that fails decides it for all
    if (device !== 'wasm') {
      context.onProgress({ lost: thrown.message } satisfies LoadProgress)
      device = 'wasm'
      // what lies on it is lost too, so there is nothing to free
      opened.clear()
    }
    return ask(await openModel(name, context))
  }
}

const analyses = new Map<string, Analysis>()

/** What a run costs, read off its graph. */
export function costOf(model: Model, settings: Asked['settings']): Analysis {
  const key = `${model.name} ${model.labels.length} ${JSON.stringify(settings)}`
  const known = analyses.get(key) ?? analyze(model.architecture, settings)
  analyses.set(key, known)
  return known
}
