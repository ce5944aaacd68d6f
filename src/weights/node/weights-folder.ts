import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { BlvitError } from '../../base/blvit-error.js'
import { didYouMean } from '../../base/suggest.js'

/** Where a checkpoint's tensors lie: one file, or an index that names several. */
export type WeightsLocation =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'index'; readonly path: string }
  /** A file of torch.save. */
  | { readonly kind: 'torch'; readonly path: string }

const weightsName = 'model.safetensors'
const indexName = 'model.safetensors.index.json'

/**
 * Finds the weights: the file given; or in a folder `model.safetensors`, else `model.safetensors.index.json`,
 * else the only `*.safetensors`, else the only file of torch.save.
 * @throws BlvitError `NOT_FOUND` if the path doesn't exist, `BAD_WEIGHTS` if no weights can be made out there
 */
export async function locateWeights(pathOrFolder: string): Promise<WeightsLocation> {
  const path = resolve(pathOrFolder)
  const stats = await stat(path).catch(() => undefined)
  if (stats === undefined) throw await missing(path)
  if (!stats.isDirectory()) return locationOfFile(path)

  const files = (await readdir(path)).sort()
  if (files.includes(weightsName)) return { kind: 'file', path: join(path, weightsName) }
  if (files.includes(indexName)) return { kind: 'index', path: join(path, indexName) }
  const candidates = files.filter((file) => file.endsWith('.safetensors'))
  const [only] = candidates
  if (only !== undefined && candidates.length === 1) return { kind: 'file', path: join(path, only) }
  if (candidates.length > 1) throw ambiguous(path, candidates)
  const pickles = files.filter(isPickle)
  const [pickle] = pickles
  if (pickle !== undefined && pickles.length === 1) return { kind: 'torch', path: join(path, pickle) }
  throw pickles.length > 1 ? ambiguous(path, pickles) : withoutWeights(path, files)
}

function locationOfFile(path: string): WeightsLocation {
  if (path.endsWith('.safetensors')) return { kind: 'file', path }
  if (path.endsWith('.index.json')) return { kind: 'index', path }
  if (isPickle(path)) return { kind: 'torch', path }
  const message = `${path} is not a weights file. Give a .safetensors file, a .pth of torch.save, or a folder that holds one.`
  throw new BlvitError('BAD_WEIGHTS', message, { path })
}

async function missing(path: string): Promise<BlvitError> {
  const siblings = await readdir(dirname(path)).catch(() => [])
  const close = didYouMean(basename(path), siblings)
  return new BlvitError('NOT_FOUND', `There is no file or folder ${path}.${close}`, { path })
}

function ambiguous(folder: string, candidates: readonly string[]): BlvitError {
  return new BlvitError(
    'BAD_WEIGHTS',
    `${folder} holds several weights files: ${candidates.join(', ')}. Give the path of the one you mean.`,
    { folder, candidates },
  )
}

function withoutWeights(folder: string, files: readonly string[]): BlvitError {
  const shown = files.slice(0, 10).join(', ') + (files.length > 10 ? ` and ${files.length - 10} more` : '')
  const holds = files.length > 0 ? `it holds ${shown}` : 'it is empty'
  return new BlvitError('BAD_WEIGHTS', `${folder} has no ${weightsName} or ${indexName}: ${holds}.`, {
    folder,
    files,
  })
}

function isPickle(file: string): boolean {
  return /\.(bin|pth|pt|ckpt)$/.test(file)
}
