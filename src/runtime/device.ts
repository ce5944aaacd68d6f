import { BlvitError } from '../base/blvit-error.js'
import { didYouMean } from '../base/suggest.js'
import { checkWholeNumbers } from '../base/whole-number.js'

/** Where a model runs: ONNX Runtime's native library, its WebAssembly build, or a GPU through WebGPU. */
const devices = ['cpu', 'wasm', 'webgpu'] as const

export type Device = (typeof devices)[number]

/** What a caller may ask for; `auto`: the fastest that works here. */
export const deviceRequests = ['auto', ...devices] as const

export type DeviceRequest = (typeof deviceRequests)[number]

// What graphics processors are called elsewhere: here there is one way to all of them.
const graphics = /^(cuda|gpu|mps|metal|rocm|hip|directml|dml|vulkan|tensorrt|coreml)\b/i

/** @throws BlvitError `BAD_OPTION` if there is no such device */
export function checkDevice<D extends DeviceRequest>(device: D, known: readonly D[]): void {
  if (known.includes(device)) return
  const asked = String(device)
  const hint =
    graphics.test(asked) && (known as readonly string[]).includes('webgpu')
      ? ' Graphics processors of all makers run by way of "webgpu".'
      : didYouMean(asked, known)
  throw new BlvitError(
    'BAD_OPTION',
    `There is no device "${asked}".${hint} Devices are ${known.join(', ')}.`,
    { device },
  )
}

// More than the largest machines have cores; several thousand that wait for each other by spinning never end.
const mostThreads = 1024

/** @throws BlvitError `BAD_OPTION` */
export function checkThreads(threads: number | undefined): void {
  checkWholeNumbers({ threads }, { most: mostThreads })
}
