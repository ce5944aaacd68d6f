import { hearEngine } from '../engine-state.js'
import { offlineReady } from '../offline.js'
import type { EngineCalls } from './engine.js'
import { connect } from './messages.js'

/** The engine of this page, in a thread of its own: it starts with the first call. */
export const thread = connect<EngineCalls>(async () => {
  // what the engine's thread fetches is kept only if the service worker is there before it
  await offlineReady
  return new Worker(new URL('./engine.ts', import.meta.url), { type: 'module' })
}, hearEngine)

// e.g. ?device=webgpu, for a graphics processor that the page doesn't take by itself
const device = new URLSearchParams(location.search).get('device')
if (device !== null) void thread.call('useDevice', device)
