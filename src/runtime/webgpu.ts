import { BlvitError } from '../base/blvit-error.js'

/**
 * Session settings under which ONNX Runtime refuses a model rather than run some of its operators on the
 * processor, with copies between the two, unasked.
 */
export const onGpuAlone = { disable_cpu_ep_fallback: '1' }

/** @param where `"This browser"`, `"This machine"` */
export function noAdapter(where: string, cause?: unknown): BlvitError {
  return new BlvitError(
    'ENGINE',
    `${where} offers no WebGPU adapter: there is no graphics processor, or no driver that can be used. ` +
      'Use --device cpu or wasm.',
    {},
    { cause },
  )
}

/** What blvit asks of a browser's graphics processor. */
interface Adapter {
  readonly features: { has(feature: string): boolean }
  readonly info?: { readonly isFallbackAdapter?: boolean }
}

/** Undefined where there is no WebGPU or no graphics processor behind it. */
export async function findAdapter(): Promise<Adapter | undefined> {
  // the types of WebGPU aren't among those of the page
  // nor is there a navigator everywhere: Node 20 has none
  const { navigator } = globalThis as { navigator?: { gpu?: { requestAdapter(): Promise<Adapter | null> } } }
  return (await navigator?.gpu?.requestAdapter()) ?? undefined
}
