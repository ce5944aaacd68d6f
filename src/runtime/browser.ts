import { checkDevice, type DeviceRequest } from './device.js'
import type { ChosenRuntime } from './runtime.js'
import { webRuntime } from './web.js'
import { findAdapter } from './webgpu.js'

/** The devices of a browser. */
const browserDevices = ['auto', 'wasm', 'webgpu'] as const satisfies readonly DeviceRequest[]

export type BrowserDevice = (typeof browserDevices)[number]

/**
 * Finds the engine for a device, in a browser. Its runs block the thread that loads it: a page that mustn't wait loads
 * its models in a worker of its own.
 * @throws BlvitError `BAD_OPTION` for an unknown device, `ENGINE` if one was asked for by name and can't be had
 */
export async function chooseBrowserRuntime(device: BrowserDevice = 'auto'): Promise<ChosenRuntime> {
  checkDevice(device, browserDevices)
  if (device !== 'auto') return { runtime: await webRuntime({ device }), reason: 'you asked for it' }
  const adapter = await findAdapter()
  // a graphics processor that is computed by the processor is slower than WebAssembly there
  if (!adapter || adapter.info?.isFallbackAdapter) {
    return { runtime: await webRuntime(), reason: 'there is no graphics processor for WebGPU' }
  }
  return { runtime: await webRuntime({ device: 'webgpu' }), reason: 'there is a graphics processor' }
}
