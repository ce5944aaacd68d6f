import { describe, expect, test } from 'vitest'
import { load } from '../../src/tasks/node/load.js'

describe('a device that there is not', () => {
  test.each([
    [
      'cuda',
      /^There is no device "cuda"\. Graphics processors of all makers run by way of "webgpu"\. Devices are auto, cpu, wasm, webgpu\.$/,
    ],
    ['gpu', /"webgpu"/],
    ['CPU', /^There is no device "CPU"\. Did you mean "cpu"\?/],
    ['webpgu', /Did you mean "webgpu"\?/],
    ['', /^There is no device ""\. Devices are/],
    [null, /^There is no device "null"\. Devices are/],
  ])('%j is refused by name', async (device, message) => {
    const loading = load('vit-tiny', { device: device as 'cpu' })
    await expect(loading).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringMatching(message),
    })
  })

  test.each([0, -1, 1.5, 1025, Number.NaN, '2'])('%j threads are refused', async (threads) => {
    await expect(load('vit-tiny', { threads: threads as number })).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: `threads is ${threads}; it must be a whole number from 1 to 1024.`,
    })
  })

  test('an unknown precision is refused by name', async () => {
    await expect(load('vit-tiny', { precision: 'int88' as 'int8' })).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: 'There is no precision "int88". Did you mean "int8"? Precisions are fp32, fp16, int8.',
    })
  })
})
