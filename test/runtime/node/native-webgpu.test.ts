import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { writeModelFolder } from '../../../src/model-store/node/write-model-folder.js'
import { expectClose } from '../../support/expect-close.js'
import { runCli } from '../../support/run-cli.js'
import { temporaryFolder } from '../../support/temporary-folder.js'
import { randomModel, shrunk } from '../../support/tiny-models.js'

const picture = new URL('../../../examples/kite.jpg', import.meta.url).pathname

// Debian's Chromium brings a Vulkan loader and a driver that computes on the processor.
const chromium = '/usr/lib/chromium'
const driver = join(chromium, 'vk_swiftshader_icd.json')
const hasDriver = process.platform === 'linux' && existsSync(driver)
const withoutDriver = hasDriver ? '' : ' (skipped: no SwiftShader of a Chromium here)'

// A driver with the feature shader-f16, as Mesa 25's lavapipe has it, is told by its Vulkan manifest.
const halfDriver = process.env.BLVIT_HALF_DRIVER
const withoutHalfDriver = halfDriver
  ? ''
  : ' (skipped: BLVIT_HALF_DRIVER names no Vulkan driver that has shader-f16)'

interface Answer {
  readonly top: readonly { readonly index: number; readonly probability: number }[]
}

describe('--device webgpu in Node', () => {
  const folder = temporaryFolder()
  const model = join(folder, 'model')

  async function classify(
    device: string,
    keepRatio: string,
    { env = {}, dtype = 'fp32' }: { env?: Record<string, string>; dtype?: string } = {},
  ) {
    const options = ['--device', device, '--keep-ratio', keepRatio, '--top', '5', '--json', '--dtype', dtype]
    return runCli(['classify', picture, '-m', model, ...options], { env })
  }

  test.skipIf(!hasDriver)(
    `gives the processor's probabilities, every operator on the GPU${withoutDriver}`,
    async () => {
      await writeModelFolder(model, randomModel(shrunk('micro+16', { rows: 4, columns: 4 })), { card: '' })
      const env = { LD_LIBRARY_PATH: chromium, VK_ICD_FILENAMES: driver }
      // another ratio is another graph of the same operators; Chromium runs two
      const [gpu, cpu] = await Promise.all([classify('webgpu', '0.5', { env }), classify('cpu', '0.5')])
      expect(gpu.code, gpu.stderr).toBe(0)
      const [ours, expected] = [gpu, cpu].map(({ stdout }) => (JSON.parse(stdout) as Answer).top)
      expect(ours?.map(({ index }) => index)).toEqual(expected?.map(({ index }) => index))
      const probabilities = (top: Answer['top'] = []) => top.map(({ probability }) => probability)
      expectClose(probabilities(ours), probabilities(expected), { atol: 1e-4 })
    },
    240_000,
  )

  test.skipIf(!hasDriver)(
    `in float16 is refused where the adapter has none${withoutDriver}`,
    async () => {
      await writeModelFolder(model, randomModel(shrunk('micro+16', { rows: 4, columns: 4 })), {
        card: '',
        overwrite: true,
      })
      const env = { LD_LIBRARY_PATH: chromium, VK_ICD_FILENAMES: driver }
      const { code, stdout, stderr } = await classify('webgpu', '0.5', { env, dtype: 'fp16' })
      expect(code).toBe(1)
      expect(stdout).toBe('')
      expect(stderr).toMatch(
        /WebGPU adapter computes no float16 \(it lacks the feature shader-f16\).*--dtype/,
      )
      expect(stderr).not.toMatch(/blvit has a bug/)
    },
    240_000,
  )

  test.skipIf(!halfDriver)(
    `in float16 gives nearly the processor's probabilities, and says what it does${withoutHalfDriver}`,
    async () => {
      await writeModelFolder(model, randomModel(shrunk('micro+16', { rows: 4, columns: 4 })), {
        card: '',
        overwrite: true,
      })
      const env = { VK_ICD_FILENAMES: halfDriver ?? '', VK_DRIVER_FILES: halfDriver ?? '' }
      for (const keepRatio of ['0.5', '1']) {
        const gpu = await classify('webgpu', keepRatio, { env, dtype: 'fp16' })
        expect(gpu.code, gpu.stderr).toBe(0)
        expect(gpu.stderr).toMatch(/native WebGPU, in float16 \(tokens ranked in float32\): /)
        const cpu = await classify('cpu', keepRatio)
        const [ours, expected] = [gpu, cpu].map(({ stdout }) => (JSON.parse(stdout) as Answer).top)
        const byClass = (top: Answer['top'] = []) =>
          [...top].sort((a, b) => a.index - b.index).map(({ probability }) => probability)
        // logits of up to 30 with 11 bits
        expectClose(byClass(ours), byClass(expected), { atol: 0.02 })
        expect(byClass(ours)).not.toEqual(byClass(expected))
      }
    },
    240_000,
  )

  test.runIf(process.platform === 'linux')('says when there is no adapter, and what to do', async () => {
    await writeModelFolder(model, randomModel(shrunk('vit-micro', { rows: 4, columns: 4 })), {
      card: '',
      overwrite: true,
    })
    // no Vulkan driver answers under this name, whatever the machine has
    const env = { VK_ICD_FILENAMES: '/nowhere.json', VK_DRIVER_FILES: '/nowhere.json' }
    const { code, stderr } = await runCli(['classify', picture, '-m', model, '--device', 'webgpu'], { env })
    expect(code).toBe(1)
    expect(stderr).toMatch(/This machine offers no WebGPU adapter: .* Use --device cpu or wasm\./)
    expect(stderr).not.toMatch(/blvit has a bug/)
  })

  const hasVulkan = spawnSync('ldconfig', ['-p'], { encoding: 'utf8' }).stdout?.includes('libvulkan.so.1')
  const withVulkan = hasVulkan ? ' (skipped: Vulkan is here)' : ''

  test.skipIf(process.platform !== 'linux' || hasVulkan)(
    `says only that where there is no Vulkan${withVulkan}`,
    async () => {
      const { code, stderr } = await runCli(['classify', picture, '--device', 'webgpu'])
      expect(code).toBe(1)
      expect(stderr).toMatch(/^error: This machine offers no WebGPU adapter: .*\n$/)
    },
  )
})

describe('blvit train --device webgpu in Node', () => {
  const folder = temporaryFolder()
  const [teacher, student] = [join(folder, 'teacher'), join(folder, 'student')]
  // A GPU that the processor computes takes minutes to load a deeper model's step.
  const plain = { rows: 2, columns: 4, depth: 2 }
  const files = (name: string, changes = {}) => randomModel(shrunk(name, { ...plain, ...changes }))
  const routing = { predictor_after: [1], little: { embed_dim: 4, num_heads: 1, layers: [2] } }

  /** Trains for two steps. */
  async function train(device: string, keepRatio: unknown) {
    const recipe = join(folder, 'recipe.json')
    const loss = { tokens: 2.5, classToken: 2.5, logits: 1, ranking: 0.1 }
    const sizes = { pictures: 8, batch: 4, learningRate: 1e-3 }
    const stages = [{ objective: 'end to end', loss, keepRatio, ...sizes }]
    writeFileSync(recipe, JSON.stringify({ about: 'Two steps', stages }))
    const output = join(folder, device)
    const options = ['--teacher', teacher, '--recipe', recipe, '--data', join(picture, '..'), '-o', output]
    const env = { LD_LIBRARY_PATH: chromium, VK_ICD_FILENAMES: driver }
    const { code, stderr } = await runCli(['train', student, ...options, '--device', device, '--overwrite'], {
      env,
    })
    const log = `${output}.training/log.jsonl`
    const steps = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []
    return { code, stderr, steps: steps.map((line) => JSON.parse(line) as Record<string, number>) }
  }

  // CI trains on WebGPU in Chromium
  const patient = hasDriver && process.env.BLVIT_SLOW_TESTS === '1'
  const withoutPatience = patient ? '' : ' (skipped: two minutes; BLVIT_SLOW_TESTS=1 runs it)'

  test.skipIf(!patient)(
    `makes the processor's steps${withoutPatience}`,
    async () => {
      await writeModelFolder(teacher, files('vit-micro'), { card: '' })
      await writeModelFolder(student, files('micro+16', routing), { card: '' })
      const [gpu, cpu] = [await train('webgpu', 0.5), await train('cpu', 0.5)]
      expect(gpu.code, gpu.stderr).toBe(0)
      expect(gpu.steps).toHaveLength(2)
      gpu.steps.forEach((step, i) => {
        const { setting, ...expected } = cpu.steps[i] ?? {}
        expect(step).toMatchObject({ setting })
        expect(Object.keys(step)).toEqual(Object.keys(cpu.steps[i] ?? {}))
        for (const [name, value] of Object.entries(step)) {
          if (name === 'setting') continue
          expect(value / (expected[name] ?? Number.NaN), name).toBeCloseTo(1, 3)
        }
      })
    },
    240_000,
  )

  test.skipIf(!hasDriver)(
    `refuses a stage of several keep ratios, and says what to do${withoutDriver}`,
    async () => {
      await writeModelFolder(teacher, files('vit-micro'), { card: '', overwrite: true })
      await writeModelFolder(student, files('micro+16', routing), { card: '', overwrite: true })
      const { code, stderr } = await train('webgpu', [0.25, 0.5])
      expect(code).toBe(2)
      expect(stderr).toMatch(/on WebGPU, .* keep ratio 0\.25 and keep ratio 0\.5 .* --device cpu/s)
    },
    240_000,
  )
})
