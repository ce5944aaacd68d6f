import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { openCheckpoint } from '../../../../src/weights/node/checkpoint.js'
import { cachedModels } from '../../../../src/weights/node/hub/cached-models.js'
import { type DownloadProgress, downloadModel } from '../../../../src/weights/node/hub/download-model.js'
import { resolveHubSettings } from '../../../../src/weights/node/hub/settings.js'
import { encodeSafetensors } from '../../../../src/weights/safetensors/encode.js'
import { storedFrom } from '../../../../src/weights/stored-from.js'
import { hubServer } from '../../hub-server.js'
import { scratchFolder } from '../../scratch-folder.js'
import { thrownBy } from '../../thrown-by.js'

const id = 'owner/name'
const text = (value: string) => new TextEncoder().encode(value)

async function weightsOf(name: string, length: number): Promise<Uint8Array> {
  const values = Float32Array.from({ length }, (_, i) => Math.sin(i))
  const parts: Uint8Array[] = []
  for await (const chunk of encodeSafetensors([[name, storedFrom(values, [length])]]).chunks())
    parts.push(chunk)
  return Buffer.concat(parts)
}

const weights = await weightsOf('a', 200_000)
const single = new Map([
  ['config.json', text('{"architecture": "vit"}')],
  ['README.md', text('# not needed')],
  ['pytorch_model.bin', text('not needed either')],
  ['model.safetensors', weights],
])

async function setUp(files: ReadonlyMap<string, Uint8Array> = single) {
  const hub = await hubServer(files)
  const cacheFolder = await scratchFolder()
  return { hub, cacheFolder, options: { endpoint: hub.endpoint, cacheFolder, token: 'hf_test' } }
}

const downloadsOf = (requests: readonly string[]) => requests.filter((line) => line.includes('/resolve/'))
const blobsIn = (cacheFolder: string) => readdir(join(cacheFolder, 'models--owner--name', 'blobs'))

test('brings only what a model needs, and it opens', async () => {
  const { hub, options } = await setUp()
  const folder = await downloadModel(id, options)
  expect((await readdir(folder)).sort()).toEqual(['config.json', 'model.safetensors'])
  expect(Buffer.compare(await readFile(join(folder, 'model.safetensors')), weights)).toBe(0)
  expect((await openCheckpoint(folder)).tensors.size).toBe(1)
  expect(downloadsOf(hub.requests).length).toBe(2)
})

test('a second time no file is fetched, whatever the branch is called', async () => {
  const { hub, options } = await setUp()
  const folder = await downloadModel(id, options)
  const before = downloadsOf(hub.requests).length
  expect(await downloadModel(id, options)).toBe(folder)
  expect(await downloadModel(id, { ...options, revision: 'v1' })).toBe(folder)
  expect(downloadsOf(hub.requests).length).toBe(before)
  const asked = hub.requests.length
  expect(await downloadModel(id, { ...options, revision: hub.commit })).toBe(folder)
  expect(hub.requests.length, 'a commit never changes: nothing to ask').toBe(asked)
})

test('a cut connection is taken up where it broke, within one call', async () => {
  const { hub, options } = await setUp()
  hub.cutAfterBytes = 500_000
  const folder = await downloadModel(id, options)
  expect((await openCheckpoint(folder)).tensors.size).toBe(1)
  const ranges = downloadsOf(hub.requests).filter((line) => line.includes('bytes='))
  expect(ranges.length).toBe(1)
  expect(ranges[0]).toMatch(/model\.safetensors bytes=500000-$/)
})

test('progress counts all files and ends at the total', async () => {
  const { options } = await setUp()
  const seen: DownloadProgress[] = []
  await downloadModel(id, { ...options, onProgress: (progress) => seen.push(progress) })
  const totalBytes = weights.byteLength + (single.get('config.json')?.byteLength ?? 0)
  expect(seen.at(-1)).toEqual({ downloadedBytes: totalBytes, totalBytes, file: 'model.safetensors' })
  expect(seen.every(({ downloadedBytes }, i) => downloadedBytes >= (seen[i - 1]?.downloadedBytes ?? 0))).toBe(
    true,
  )
})

test('an abort leaves no final file, and the next call goes on from there', async () => {
  const { hub, cacheFolder, options } = await setUp()
  hub.cutAfterBytes = 500_000
  const controller = new AbortController()
  const onProgress = ({ file, downloadedBytes }: DownloadProgress) => {
    if (file === 'model.safetensors' && downloadedBytes > 100_000) controller.abort()
  }
  await thrownBy(downloadModel(id, { ...options, signal: controller.signal, onProgress }), 'ABORTED')
  expect((await blobsIn(cacheFolder)).filter((name) => name.endsWith('.incomplete')).length).toBe(1)
  expect(await cachedModels({ cacheFolder })).toEqual([])
  await thrownBy(downloadModel(id, { ...options, offline: true }), 'OFFLINE')

  hub.cutAfterBytes = undefined
  hub.requests.length = 0
  await openCheckpoint(await downloadModel(id, options))
  expect(downloadsOf(hub.requests).map((line) => /bytes=[1-9]\d*-$/.test(line))).toEqual([true])
  expect((await blobsIn(cacheFolder)).some((name) => name.endsWith('.incomplete'))).toBe(false)
})

test('a server that knows no ranges is read from the beginning', async () => {
  const { hub, options } = await setUp()
  hub.cutAfterBytes = 500_000
  hub.ignoreRanges = true
  const onProgress = () => {
    if (downloadsOf(hub.requests).length > 2) hub.cutAfterBytes = undefined
  }
  await openCheckpoint(await downloadModel(id, { ...options, onProgress }))
})

test('damaged content is refused and not kept', async () => {
  const { hub, cacheFolder, options } = await setUp()
  hub.damaged = true
  expect((await thrownBy(downloadModel(id, options), 'HUB')).message).toContain('came damaged')
  expect(await blobsIn(cacheFolder)).toEqual([])
})

test('a sharded model comes with all its shards', async () => {
  const index = { weight_map: { a: 'model-1.safetensors', b: 'model-2.safetensors' } }
  const { options } = await setUp(
    new Map([
      ['model.safetensors.index.json', text(JSON.stringify(index))],
      ['model-1.safetensors', await weightsOf('a', 10)],
      ['model-2.safetensors', await weightsOf('b', 10)],
      ['other.safetensors', await weightsOf('c', 10)],
    ]),
  )
  const folder = await downloadModel(id, options)
  expect([...(await openCheckpoint(folder)).tensors.keys()]).toEqual(['a', 'b'])
  expect(await readdir(folder)).not.toContain('other.safetensors')
  expect(await downloadModel(id, { ...options, offline: true })).toBe(folder)
})

describe('what goes wrong says why', () => {
  test('an unknown id or revision', async () => {
    const { options } = await setUp()
    expect((await thrownBy(downloadModel('owner/nothing', options), 'NOT_FOUND')).message).toContain(
      'no model owner/nothing',
    )
    await thrownBy(downloadModel(id, { ...options, revision: 'no-such' }), 'NOT_FOUND')
  })

  test('a gated model', async () => {
    const { hub, options } = await setUp()
    hub.failWith = 403
    expect((await thrownBy(downloadModel(id, options), 'HUB')).message).toContain('accept its terms')
  })

  test('a model without safetensors', async () => {
    const { options } = await setUp(new Map([['pytorch_model.bin', text('pickle')]]))
    expect((await thrownBy(downloadModel(id, options), 'UNSUPPORTED')).message).toContain(
      'it has pytorch_model.bin',
    )
  })

  test.each([
    'name',
    'a/b/c',
    '../x',
    'owner/..',
    '/etc/passwd',
    'owner/na--me',
    'owner/name\n',
    'owner\\name',
    'https://x/y',
    '',
  ])('the id %j', async (bad) => {
    await thrownBy(downloadModel(bad, await setUp().then(({ options }) => options)), 'BAD_OPTION')
  })

  test('a revision that would leave the cache, a token of another kind, an endpoint that is none', async () => {
    const { options } = await setUp()
    await thrownBy(downloadModel(id, { ...options, revision: '../../x' }), 'BAD_OPTION')
    await thrownBy(downloadModel(id, { ...options, endpoint: 'ftp://x' }), 'BAD_OPTION')
    const error = await thrownBy(downloadModel(id, { ...options, token: 'secret' }), 'BAD_OPTION')
    expect(error.message).not.toContain('secret')
  })

  test('a cache that cannot be written', async () => {
    const { cacheFolder, options } = await setUp()
    await writeFile(join(cacheFolder, 'file'), '')
    await thrownBy(downloadModel(id, { ...options, cacheFolder: join(cacheFolder, 'file') }), 'WRITE_FAILED')
  })
})

test('without a network: OFFLINE, unless the model is cached', async () => {
  const { hub, options } = await setUp()
  const folder = await downloadModel(id, options)
  await hub.close()
  expect(await downloadModel(id, options)).toBe(folder)
  const elsewhere = { ...options, cacheFolder: await scratchFolder() }
  const error = await thrownBy(downloadModel(id, elsewhere), 'OFFLINE')
  expect(error.message).toMatch(/Can't reach http:\/\/127\.0\.0\.1.*HF_ENDPOINT/)
})

test('offline asks nobody', async () => {
  const { hub, options } = await setUp()
  expect((await thrownBy(downloadModel(id, { ...options, offline: true }), 'OFFLINE')).message).toContain(
    'Download it once',
  )
  expect(hub.requests).toEqual([])
  const folder = await downloadModel(id, options)
  hub.requests.length = 0
  expect(await downloadModel(id, { ...options, offline: true })).toBe(folder)
  vi.stubEnv('HF_HUB_OFFLINE', '1')
  expect(await downloadModel(id, options)).toBe(folder)
  vi.unstubAllEnvs()
  expect(hub.requests).toEqual([])
})

test('the cache lists its whole models, those with a lost blob not', async () => {
  const { hub, cacheFolder, options } = await setUp()
  expect(await cachedModels({ cacheFolder: join(cacheFolder, 'absent') })).toEqual([])
  const folder = await downloadModel(id, options)
  await mkdir(join(cacheFolder, 'models--someone--empty', 'snapshots', 'x'), { recursive: true })
  await mkdir(join(cacheFolder, '.locks'))
  expect(await cachedModels({ cacheFolder })).toEqual([{ id, revision: 'main', commit: hub.commit, folder }])
  await rm(join(cacheFolder, 'models--owner--name', 'blobs'), { recursive: true })
  expect(await cachedModels({ cacheFolder })).toEqual([])
  await openCheckpoint(await downloadModel(id, options))
})

test('the settings come from the options, then the environment, then the usual place', () => {
  const of = (env: NodeJS.ProcessEnv) => resolveHubSettings({}, env)
  expect(of({ HF_HUB_CACHE: '/a', HF_HOME: '/b' }).cacheFolder).toBe('/a')
  expect(of({ HF_HOME: '/b' }).cacheFolder).toBe('/b/hub')
  expect(of({ XDG_CACHE_HOME: '/c' }).cacheFolder).toBe('/c/huggingface/hub')
  expect(of({}).cacheFolder).toMatch(/\.cache\/huggingface\/hub$/)
  expect(of({ HF_ENDPOINT: 'https://mirror.example/' }).endpoint).toBe('https://mirror.example')
  expect(of({})).toMatchObject({ endpoint: 'https://huggingface.co', offline: false, token: undefined })
  expect(resolveHubSettings({ offline: false }, { HF_HUB_OFFLINE: '1' }).offline).toBe(false)
})
