import { expect, test, vi } from 'vitest'
import { presets } from '../../src/models/index.js'
import { runCli } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const emptyCache = temporaryFolder()

test('blvit models lists what ships, what is cached and every preset', async () => {
  const { code, stdout, stderr } = await runCli(['models'], { env: { HF_HUB_CACHE: emptyCache } })
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^ {2}vit-tiny {2,}vit-tiny {2,}5,717,416 {2}11\.\d MB {2}.*vit-tiny$/m)
  expect(stdout).toContain('Downloaded from the Hugging Face hub: none yet')
  expect(stdout).toMatch(/^ {2}name +parameters +multiply-adds, G \(thop\) +setting$/m)
  expect(stdout).toMatch(/^ {2}b\+t +99,616,600 +9\.891 +keep ratio 0\.25$/m)
  expect(stdout).toMatch(/^ {2}vit-base +86,567,656 +16\.864 +plain$/m)
})

test('blvit models --convention counts in another way', async () => {
  vi.stubEnv('HF_HUB_CACHE', emptyCache)
  const { stdout } = await runInProcess(['models', '--convention', 'full'])
  expect(stdout).toMatch(/^ {2}b\+t +99,616,600 +10\.258 +keep ratio 0\.25$/m)
})

test('blvit models --json is stable', async () => {
  vi.stubEnv('HF_HUB_CACHE', emptyCache)
  const { code, stdout } = await runInProcess(['models', '--json'])
  expect(code).toBe(0)
  const list = JSON.parse(stdout)
  expect(Object.keys(list)).toEqual(['shipped', 'cached', 'presets'])
  expect(Object.keys(list.shipped[0])).toEqual(['name', 'folder', 'sizeBytes', 'architecture', 'parameters'])
  expect(list.cached).toEqual([])
  expect(list.presets.map(({ name }: { name: string }) => name)).toEqual(Object.keys(presets))
  expect(Object.keys(list.presets.at(-1))).toEqual([
    'name',
    'family',
    'parameters',
    'multiplyAdds',
    'setting',
  ])
})
