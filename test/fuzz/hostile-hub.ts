import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { downloadModel } from '../../src/weights/node/hub/download-model.js'
import { mutateJson } from './mutate-json.js'
import type { Random } from './random.js'
import { type Files, seedModels } from './seed-files.js'
import type { FuzzTarget } from './targets.js'

/** Pieces of names that lead out of a folder on some system. */
const tricks = [
  '..',
  '../..',
  '../../../../escape',
  '/',
  '//host/share',
  '/tmp/blvit-escape',
  'C:\\escape',
  'C:',
  '..\\..\\escape',
  '\\\\?\\C:\\escape',
  'a\0b',
  '%2e%2e%2f',
  '.',
  '~',
  'con',
  'name--name',
  ' ',
  '',
  'owner',
  'name',
  'main',
  'refs/pr/1',
  'é',
  '\u202e',
  'a'.repeat(300),
]

function trickName(random: Random): string {
  const words = Array.from({ length: 1 + random.integer(3) }, () => random.pick(tricks))
  return words.join(random.pick(['/', '/', '\\', '']))
}

/** Model ids and revisions with path tricks, without a connection: nothing may be written at all. */
export const hostileNames: FuzzTarget = {
  name: 'hub names',
  make: (random) => {
    const id = random.chance(0.3) ? 'owner/name' : trickName(random)
    const revision = random.chance(0.3) ? 'main' : trickName(random)
    return {
      files: new Map(),
      run: async (folder) => {
        await downloadModel(id, { revision, cacheFolder: join(folder, 'cache'), offline: true })
      },
    }
  },
}

/** A hub that lists files under hostile names, sizes and hashes: whatever comes stays in the cache. */
export const hostileHub: FuzzTarget = {
  name: 'hub answers',
  make: (random) => {
    const files = random.pick(seedModels())
    const listing = random.chance(0.5) ? mutateJson(listingOf(files), random) : trickListing(files, random)
    const description = random.chance(0.8) ? descriptionOf(commit) : mutateJson(descriptionOf(commit), random)
    return {
      files: new Map(),
      mayWrite: 'cache',
      run: async (folder) => {
        const { endpoint, close } = await serve({ files, listing, description })
        try {
          await downloadModel('owner/name', {
            endpoint,
            cacheFolder: join(folder, 'cache'),
            // a body that is shorter than promised is asked for again; that waiting is not what is tested
            signal: AbortSignal.timeout(1_000),
          })
        } finally {
          await close()
        }
      },
    }
  },
}

const commit = createHash('sha1').update('hostile').digest('hex')

function descriptionOf(sha: string): string {
  return JSON.stringify({ _id: 'x', id: 'owner/name', sha, lastModified: '2024-01-01', siblings: [] })
}

function listingOf(files: Files): string {
  return JSON.stringify([...files].map(([path, content]) => entryOf(path, content)))
}

/** One file stands under a trick name, or its hash is one. */
function trickListing(files: Files, random: Random): string {
  const entries = [...files].map(([path, content]) => entryOf(path, content))
  const entry = random.pick(entries)
  if (random.chance(0.5))
    entry.path = `${trickName(random)}${random.pick(['', '/config.json', '.safetensors'])}`
  else entry.oid = trickName(random)
  return JSON.stringify(entries)
}

function entryOf(
  path: string,
  content: Uint8Array,
): { type: string; path: string; size: number; oid: string } {
  const oid = createHash('sha1').update(`blob ${content.byteLength}\0`).update(content).digest('hex')
  return { type: 'file', path, size: content.byteLength, oid }
}

async function serve({
  files,
  listing,
  description,
}: {
  files: Files
  listing: string
  description: string
}): Promise<{ endpoint: string; close: () => Promise<void> }> {
  const server: Server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').replace(/\?.*/, ''))
    const content = files.get(path.split('/').at(-1) ?? '')
    if (path.includes('/revision/')) response.end(description)
    else if (path.includes('/tree/')) response.end(listing)
    else if (content !== undefined) response.end(content)
    else response.end('anything')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    })
  return { endpoint: `http://127.0.0.1:${port}`, close }
}
