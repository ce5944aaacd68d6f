import { BlvitError, messageOf } from '../errors/blvit-error.js'
import { nativeRuntime } from './native.js'
import type { Device, Runtime } from './runtime.js'
import { webRuntime } from './web.js'

/** What a caller may ask for; `auto`: the fastest that works here. */
export type DeviceRequest = Device | 'auto'

/** A runtime and why it was taken. */
export interface ChosenRuntime {
  readonly runtime: Runtime
  /** For people, e.g. `"the native library is installed"`. */
  readonly reason: string
}

const howToInstallNative =
  'Install it with "npm install onnxruntime-node --onnxruntime-node-install=skip" for 3 to 6 times the speed.'

async function withoutNative(cause: unknown): Promise<ChosenRuntime> {
  const first = messageOf(cause).split('\n')[0]
  return {
    runtime: await webRuntime(),
    reason: `the native library can't be loaded (${first}), so WebAssembly runs instead. ${howToInstallNative}`,
  }
}

/**
 * Finds the engine for a device, in Node.
 * @throws BlvitError `ENGINE` if a device was asked for by name and can't be had
 */
export async function chooseRuntime(device: DeviceRequest = 'auto'): Promise<ChosenRuntime> {
  if (device === 'wasm') return { runtime: await webRuntime(), reason: 'you asked for it' }
  try {
    if (device === 'webgpu') {
      return { runtime: await nativeRuntime({ device: 'webgpu' }), reason: 'you asked for it' }
    }
    const reason = device === 'auto' ? 'the native library is the fastest here' : 'you asked for it'
    return { runtime: await nativeRuntime(), reason }
  } catch (cause) {
    if (device === 'auto') return withoutNative(cause)
    throw new BlvitError(
      'ENGINE',
      `ONNX Runtime's native library can't be loaded: ${messageOf(cause)}. ${howToInstallNative} Or use --device wasm.`,
      {},
      { cause },
    )
  }
}
