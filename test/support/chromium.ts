import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium } from 'playwright-core'

const executable = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && existsSync(path))

export const hasChromium = executable !== undefined

/** The reason that skipped tests carry in their names. */
export const withoutChromium = hasChromium ? '' : ' (skipped: no Chromium here; CHROMIUM may hold its path)'

const args = [
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
]

function options() {
  if (executable === undefined) throw new Error('There is no Chromium on this machine.')
  return { executablePath: executable, args }
}

/** Starts Chromium with a fresh profile and WebGPU on SwiftShader, a GPU computed by the processor. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch(options())
}

/** The same whose user lets no page store anything. @param profile a folder that isn't there yet */
export async function launchForbiddingStorage(profile: string): Promise<BrowserContext> {
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } }
  await mkdir(join(profile, 'Default'), { recursive: true })
  await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences))
  return chromium.launchPersistentContext(profile, options())
}
