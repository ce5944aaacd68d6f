import { BlvitError, messageOf } from '../../base/blvit-error.js'
import type { Device, Runtime } from '../runtime.js'
import { engineInThread } from './thread/engine-thread.js'

/** What a caller may ask for; `auto`: the fastest that works here. */
export type DeviceRequest = Device | 'auto'

/** A runtime and why it was taken. */
export interface ChosenRuntime {
  readonly runtime: Runtime
  /** For people, e.g. `"the native library is installed"`. */
  readonly reason: string
}

export interface RuntimeOptions {
  /**
   * Whose thread the engine's runs block: one of their own (`own`, the default), so that the event loop goes on;
   * or the caller's, who then can write outputs into his own memory (training) or has nothing else to do.
   */
  readonly thread?: 'own' | 'caller' | undefined
}

const howToInstallNative =
  'Install it with "npm install onnxruntime-node --onnxruntime-node-install=skip" for 3 to 6 times the speed.'

// The thread loads its engine while this one reads the modules that make models for it.

async function native(device: 'cpu' | 'webgpu', { thread = 'own' }: RuntimeOptions): Promise<Runtime> {
  const starting = thread === 'caller' ? undefined : engineInThread('onnxruntime-node')
  const [engine, { nativeRuntime }] = await Promise.all([starting, import('./native.js')])
  return nativeRuntime({ device, ...(engine && { engine }) })
}

async function webAssembly({ thread = 'own' }: RuntimeOptions): Promise<Runtime> {
  const starting = thread === 'caller' ? undefined : engineInThread('onnxruntime-web')
  const [engine, { webRuntime }] = await Promise.all([starting, import('../web.js')])
  return webRuntime(engine && { engine })
}

async function withoutNative(cause: unknown, options: RuntimeOptions): Promise<ChosenRuntime> {
  const first = messageOf(cause).split('\n')[0]
  return {
    runtime: await webAssembly(options),
    reason: `the native library can't be loaded (${first}), so WebAssembly runs instead. ${howToInstallNative}`,
  }
}

/**
 * Finds the engine for a device, in Node.
 * @throws BlvitError `ENGINE` if a device was asked for by name and can't be had
 */
export async function chooseRuntime(
  device: DeviceRequest = 'auto',
  options: RuntimeOptions = {},
): Promise<ChosenRuntime> {
  if (device === 'wasm') return { runtime: await webAssembly(options), reason: 'you asked for it' }
  try {
    if (device === 'webgpu') {
      return { runtime: await native('webgpu', options), reason: 'you asked for it' }
    }
    const reason = device === 'auto' ? 'the native library is the fastest here' : 'you asked for it'
    return { runtime: await native('cpu', options), reason }
  } catch (cause) {
    if (device === 'auto') return withoutNative(cause, options)
    throw new BlvitError(
      'ENGINE',
      `ONNX Runtime's native library can't be loaded: ${messageOf(cause)}. ${howToInstallNative} Or use --device wasm.`,
      {},
      { cause },
    )
  }
}
