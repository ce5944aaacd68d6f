import { availableParallelism, freemem } from 'node:os'
import type { LaneSource } from '../runtime.js'
import { nativeRuntime } from './native.js'
import { enginesInThreads } from './thread/engine-lanes.js'

/** Engines of ONNX Runtime's native library beside each other, on the processor. */
export const nativeLanes: LaneSource = {
  processors: availableParallelism(),
  // Node before 20.13 knows nothing of a container's limit
  freeBytes: () => process.availableMemory?.() ?? freemem(),
  open: async (lanes, options) =>
    nativeRuntime({
      engine: await enginesInThreads('onnxruntime-node', lanes, options),
      besideOthers: true,
    }),
}
