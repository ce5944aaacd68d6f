import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { writeModelFolder } from '../../src/model-store/node/write-model-folder.js'
import { expectClose } from '../support/expect-close.js'
import { runCli } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { randomModel, shrunk } from '../support/tiny-models.js'

const picture = new URL('../../examples/kite.jpg', import.meta.url).pathname

// Debian's Chromium brings a Vulkan loader and a driver that computes on the processor.
const chromium = '/usr/lib/chromium'
const driver = join(chromium, 'vk_swiftshader_icd.json')
const hasDriver = process.platform === 'linux' && existsSync(driver)
const withoutDriver = hasDriver ? '' : ' (skipped: no SwiftShader of a Chromium here)'

interface Answer {
  readonly top: readonly { readonly index: number; readonly probability: number }[]
}

describe.skipIf(!hasDriver)(`reductions on WebGPU alone${withoutDriver}`, () => {
  const folder = temporaryFolder()
  const model = join(folder, 'model')

  // each number of tokens is compiled anew, so few layers;
  // an operator that the provider would leave to the processor is an error there
  test.each(['evit:0.5,blocks=1', 'tome:2'])(
    '%s chooses and merges the same tokens as on the processor',
    async (reduce) => {
      if (!existsSync(model))
        await writeModelFolder(model, randomModel(shrunk('vit-tiny', { depth: 2 })), { card: '' })
      const options = ['-m', model, '--reduce', reduce, '--top', '5', '--json']
      const env = { LD_LIBRARY_PATH: chromium, VK_ICD_FILENAMES: driver }
      const [gpu, cpu] = await Promise.all([
        runCli(['classify', picture, ...options, '--device', 'webgpu'], { env }),
        runInProcess(['classify', picture, ...options, '--device', 'cpu']),
      ])
      expect({ code: gpu.code, stderr: gpu.stderr }).toMatchObject({ code: 0 })
      const [got, expected] = [gpu, cpu].map(({ stdout }): Answer => JSON.parse(stdout))
      const probabilities = (answer: Answer | undefined) =>
        answer?.top.map(({ probability }) => probability) ?? []
      expect(got?.top.map(({ index }) => index)).toEqual(expected?.top.map(({ index }) => index))
      // WebGPU's shaders add up in another order
      expectClose(probabilities(got), probabilities(expected), { atol: 1e-4 })
    },
    240_000,
  )
})
