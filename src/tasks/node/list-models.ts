import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { BlvitError } from '../../base/blvit-error.js'
import { describeModel } from '../../model-store/node/open-model.js'
import { shippedFolder, shippedModels } from '../../model-store/node/shipped-models.js'
import type { Architecture } from '../../models/architecture.js'
import { presets } from '../../models/index.js'
import { cachedModels } from '../../weights/node/hub/cached-models.js'
import type { HubSettings } from '../../weights/node/hub/settings.js'
import { analyze } from '../analyze/analyze.js'
import type { MultiplyAdds } from '../analyze/shares.js'

/** A well-known configuration. */
export interface ListedPreset {
  readonly name: string
  readonly family: string
  readonly parameters: number
  /** Per picture, at its own settings. */
  readonly multiplyAdds: MultiplyAdds
  /** Its own settings as people read them, e.g. `keep ratio 0.25`. */
  readonly setting: string
}

/** A model with weights on this machine. */
export interface ListedModel {
  /** What `--model` takes. */
  readonly name: string
  readonly folder: string
  /** Of its weights files. */
  readonly sizeBytes: number
  /** The preset that it is, else its family; absent if blvit can't read its config.json. */
  readonly architecture?: string
  readonly parameters?: number
  /** Why blvit can't read it. */
  readonly problem?: string
}

/** A downloaded model. */
export interface ListedHubModel extends ListedModel {
  readonly revision: string
}

/** Everything that a user can name. */
export interface ModelList {
  readonly shipped: readonly ListedModel[]
  readonly cached: readonly ListedHubModel[]
  readonly presets: readonly ListedPreset[]
}

function listedPreset(name: string, architecture: Architecture): ListedPreset {
  const { parameters, multiplyAdds, setting } = analyze(architecture)
  const { family } = architecture
  return { name, family, parameters, multiplyAdds, setting }
}

let presetsOnce: readonly ListedPreset[] | undefined

/** Presets don't change while a process runs, and counting them takes a second. */
function listedPresets(): readonly ListedPreset[] {
  presetsOnce ??= Object.entries(presets).map(([name, architecture]) => listedPreset(name, architecture))
  return presetsOnce
}

/** A preset's name if the architecture is one, else its family's. */
function architectureName(architecture: Architecture): string {
  const preset = Object.entries(presets).find(([, { json }]) => isDeepStrictEqual(json, architecture.json))
  return preset?.[0] ?? architecture.family
}

async function contentsOf(
  folder: string,
): Promise<Pick<ListedModel, 'architecture' | 'parameters' | 'problem'>> {
  try {
    const { architecture } = await describeModel(folder)
    return { architecture: architectureName(architecture), parameters: analyze(architecture).parameters }
  } catch (thrown) {
    // Python puts models into the same cache that blvit doesn't know: they are listed, not refused.
    if (thrown instanceof BlvitError) return { problem: thrown.message }
    throw thrown
  }
}

/** Bytes of the safetensors files of a folder; the hub's are links to its blobs. */
async function weightsBytes(folder: string): Promise<number> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.safetensors'))
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).size))
  return sizes.reduce((a, b) => a + b, 0)
}

async function listedShipped(name: string): Promise<ListedModel> {
  const folder = shippedFolder(name)
  return { name, folder, sizeBytes: await weightsBytes(folder), ...(await contentsOf(folder)) }
}

/**
 * Lists the models that come with the package, those that the hub's cache holds, and the presets.
 * @param options `cacheFolder`: default as for downloads
 */
export async function listModels(options: Pick<HubSettings, 'cacheFolder'> = {}): Promise<ModelList> {
  const cached = await cachedModels(options)
  return {
    shipped: await Promise.all(shippedModels().map(listedShipped)),
    cached: await Promise.all(
      cached.map(async ({ id, revision, folder }) => ({
        name: id,
        revision,
        folder,
        sizeBytes: await weightsBytes(folder),
        ...(await contentsOf(folder)),
      })),
    ),
    presets: listedPresets(),
  }
}
