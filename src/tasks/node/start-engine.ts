import type { DeviceRequest } from '../../runtime/device.js'
import { chooseRuntime } from '../../runtime/node/choose.js'
import type { ChosenRuntime } from '../../runtime/runtime.js'

/**
 * Starts the engine's thread. Stands apart from `load`, which needs most of blvit's modules.
 * @throws nothing before it is given to `load`
 */
export function startEngine(device?: DeviceRequest): Promise<ChosenRuntime> {
  const starting = chooseRuntime(device)
  starting.catch(() => {})
  return starting
}

/** Ends an engine that no model took over, so that nothing holds the process. @throws nothing */
export async function restEngine(starting: Promise<ChosenRuntime>): Promise<void> {
  await starting.then(({ runtime }) => runtime.rest()).catch(() => {})
}

/**
 * Starts the engine's thread and does something else beside it: read modules, find pictures.
 * @returns the engine, for `load`, and what came of the other work
 * @throws what the other work throws; the engine has ended then
 */
export async function startEngineBeside<T>(
  device: DeviceRequest,
  work: () => Promise<T>,
): Promise<{ runtime: Promise<ChosenRuntime>; done: T }> {
  const runtime = startEngine(device)
  try {
    return { runtime, done: await work() }
  } catch (thrown) {
    await restEngine(runtime)
    throw thrown
  }
}
