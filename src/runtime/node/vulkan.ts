import { messageOf } from '../../base/blvit-error.js'

/**
 * True on a Linux without Vulkan, through which WebGPU reaches graphics processors there. ONNX Runtime would find that out
 * too, but its WebGPU (Dawn) writes a raw line of its own to stderr first, which nothing can turn off.
 */
export function lacksVulkan(): boolean {
  if (process.platform !== 'linux') return false
  try {
    process.dlopen({ exports: {} }, 'libvulkan.so.1')
  } catch (thrown) {
    // where it is there, Node refuses it too, for it is no module of Node's
    return /cannot open shared object file/.test(messageOf(thrown))
  }
  return false
}
