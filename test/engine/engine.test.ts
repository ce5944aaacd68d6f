import { expect, test } from 'vitest'
import { Engine } from '../../src/engine/engine.js'
import { programOf } from '../../src/models/model-definition.js'
import { chooseRuntime } from '../../src/runtime/node/choose.js'
import type { Runtime } from '../../src/runtime/runtime.js'
import type { Settings } from '../../src/settings/settings.js'
import { randomModel, shrunk } from '../support/tiny-models.js'

/** The processor's engine, asked as one that wants sizes as numbers, and how often it loaded. */
async function countingRuntime(): Promise<{ runtime: Runtime; loads: () => number }> {
  const { runtime } = await chooseRuntime('cpu')
  let loads = 0
  const load: Runtime['load'] = (...args) => {
    loads++
    return runtime.load(...args)
  }
  return { runtime: { ...runtime, target: 'webgpu', load }, loads: () => loads }
}

test.each([[{}], [{ keepRatio: 0.5 }]])(
  'with fixed sizes one session serves %j, loaded at once and asked for again',
  async (settings: Settings) => {
    const model = randomModel(shrunk('t+48'))
    const { runtime, loads } = await countingRuntime()
    // what a profile relies on: a second session would write a second one
    await using engine = await Engine.load({ ...model, runtime }, (built) => programOf(built, 'classify'), {
      settings,
      threads: 1,
    })
    const { channels, image } = model.architecture
    const pixels = new Float32Array(channels * image.height * image.width)
    await engine.run({ batch: 1, inputs: { pixel_values: pixels } }, settings)
    expect(loads()).toBe(1)
    await engine.run({ batch: 1, inputs: { pixel_values: pixels } }, { keepRatio: 1 })
    expect(loads()).toBe(2)
  },
)
