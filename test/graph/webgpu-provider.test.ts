import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

// Debian's Chromium brings a Vulkan loader and a driver that computes on the processor.
const chromium = '/usr/lib/chromium'
const driver = join(chromium, 'vk_swiftshader_icd.json')
const hasDriver = process.platform === 'linux' && existsSync(driver)
const reason = hasDriver ? '' : ' (skipped: no SwiftShader of a Chromium here)'

/** WGSL promises 2⁻¹¹ for sine and cosine, sums of some dozen such terms included; float32 for everything else. */
const toleranceOf = (name: string) => (/sine|gradient of tokens/.test(name) ? 2e-3 : 1e-4)

test.skipIf(!hasDriver)(
  `ops run on ONNX Runtime's WebGPU provider alone, and are right there${reason}`,
  async () => {
    const script = new URL('webgpu-provider.mjs', import.meta.url).pathname
    const env = { ...process.env, LD_LIBRARY_PATH: chromium, VK_ICD_FILENAMES: driver }
    const { stdout } = await promisify(execFile)(process.execPath, [script], { env })
    const differences = Object.entries(JSON.parse(stdout) as Record<string, number>)
    expect(differences.length).toBeGreaterThan(30)
    expect(differences.filter(([name, difference]) => !(difference <= toleranceOf(name)))).toEqual([])
  },
  120_000,
)
