import { BlvitError, messageOf } from '../../base/blvit-error.js'
import { LeftOut } from '../../base/left-out.js'
import { checkDevice, type DeviceRequest, deviceRequests } from '../device.js'
import type { OrtEngine } from '../engine.js'
import type { ChosenRuntime, Runtime } from '../runtime.js'
import { noAdapter } from '../webgpu.js'
import { engineInThread } from './thread/engine-thread.js'
import type { EngineModule } from './thread/messages.js'

export interface RuntimeOptions {
  /**
   * Whose thread the engine's runs block: one of their own (`own`, the default), so that the event loop goes on;
   * or the caller's, who then can write outputs into his own memory (training) or has nothing else to do.
   */
  readonly thread?: 'own' | 'caller' | undefined
}

const howToInstallNative =
  'Install it with "npm install onnxruntime-node", ONNXRUNTIME_NODE_INSTALL=skip in the environment, for 3 to 6 times ' +
  'the speed.'

/** A runtime, and why its engine isn't where it was to be. */
interface Placed {
  readonly runtime: Runtime
  readonly instead: string | undefined
}

function chosen({ runtime, instead }: Placed, reason: string): ChosenRuntime {
  return { runtime, reason: instead === undefined ? reason : `${reason}, ${instead}` }
}

/** An engine where it was to be, or why it runs on the caller's thread instead. */
interface PlacedEngine {
  readonly engine?: OrtEngine
  readonly instead?: string
}

/** @throws Error where the module can't be loaded */
async function place(module: EngineModule, { thread = 'own' }: RuntimeOptions): Promise<PlacedEngine> {
  if (thread === 'caller') return {}
  try {
    return { engine: await engineInThread(module) }
  } catch (thrown) {
    if (thrown instanceof LeftOut)
      return { instead: `on the calling thread, which it blocks: ${thrown.message}` }
    throw thrown
  }
}

// The thread loads its engine while this one reads the modules that make models for it.

async function native(device: 'cpu' | 'webgpu', options: RuntimeOptions): Promise<Placed> {
  if (device === 'webgpu') {
    const { lacksVulkan } = await import('./vulkan.js')
    if (lacksVulkan()) throw noAdapter('This machine')
  }
  const placing = place('onnxruntime-node', options)
  const [{ engine, instead }, { nativeRuntime }] = await Promise.all([placing, import('./native.js')])
  if (!engine) return { runtime: await nativeRuntime({ device }), instead }
  const { nativeLanes } = await import('./native-lanes.js')
  // a graphics processor is one, however many threads feed it
  const lanes = device === 'cpu' ? { lanes: nativeLanes } : {}
  return { runtime: await nativeRuntime({ device, engine, ...lanes }), instead }
}

async function webAssembly(options: RuntimeOptions): Promise<Placed> {
  const placing = place('onnxruntime-web', options)
  const [{ engine, instead }, { webRuntime }] = await Promise.all([placing, import('../web.js')])
  return { runtime: await webRuntime(engine && { engine }), instead }
}

async function withoutNative(cause: unknown, options: RuntimeOptions): Promise<ChosenRuntime> {
  const first = messageOf(cause).split('\n')[0]
  const why =
    cause instanceof BlvitError
      ? `WebAssembly runs instead of the native library: ${first}`
      : `the native library can't be loaded (${first}), so WebAssembly runs instead. ${howToInstallNative}`
  return chosen(await webAssembly(options), why)
}

/**
 * Finds the engine for a device, in Node.
 * @throws BlvitError `BAD_OPTION` for an unknown device, `ENGINE` if one was asked for by name and can't be had
 */
export async function chooseRuntime(
  device: DeviceRequest = 'auto',
  options: RuntimeOptions = {},
): Promise<ChosenRuntime> {
  checkDevice(device, deviceRequests)
  if (device === 'wasm') return chosen(await webAssembly(options), 'you asked for it')
  try {
    if (device === 'webgpu') return chosen(await native('webgpu', options), 'you asked for it')
    const reason = device === 'auto' ? 'the native library is the fastest here' : 'you asked for it'
    return chosen(await native('cpu', options), reason)
  } catch (cause) {
    if (device === 'auto') return withoutNative(cause, options)
    // the library is there, and something else is wrong
    if (cause instanceof BlvitError) throw cause
    throw new BlvitError(
      'ENGINE',
      `ONNX Runtime's native library can't be loaded: ${messageOf(cause)}. ${howToInstallNative} Or use --device wasm.`,
      {},
      { cause },
    )
  }
}
