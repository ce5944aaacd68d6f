import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const executable = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && existsSync(path))

export const hasChromium = executable !== undefined

/** The reason that skipped tests carry in their names. */
export const withoutChromium = hasChromium ? '' : ' (skipped: no Chromium here; CHROMIUM may hold its path)'

/** Starts Chromium with a fresh profile and WebGPU on SwiftShader, a GPU computed by the processor. */
export function launchChromium(): Promise<Browser> {
  if (executable === undefined) throw new Error('There is no Chromium on this machine.')
  return chromium.launch({
    executablePath: executable,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--enable-unsafe-webgpu',
      '--use-webgpu-adapter=swiftshader',
      // Code that runs for seconds is left to V8's first compiler of WebAssembly: the second takes longer for ONNX Runtime
      // than it saves, and computes the same numbers.
      '--js-flags=--wasm-tiering-budget=400000000',
    ],
  })
}
