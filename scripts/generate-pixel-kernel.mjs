// Makes src/image/pixel-kernel-wasm.ts of src/image/pixel-kernel.wat. Run it after any change there: npm run generate:kernel
import { readFileSync, writeFileSync } from 'node:fs'
import loadWabt from 'wabt'

const source = new URL('../src/image/pixel-kernel.wat', import.meta.url)
const target = new URL('../src/image/pixel-kernel-wasm.ts', import.meta.url)
const wabt = await loadWabt()
const module = wabt.parseWat('pixel-kernel.wat', readFileSync(source, 'utf8'), { simd: true })
module.resolveNames()
module.validate()
const bytes = Buffer.from(module.toBinary({}).buffer)
const lines = bytes.toString('base64').match(/.{1,100}/g) ?? []
const text = [
  `// Made by scripts/generate-pixel-kernel.mjs of pixel-kernel.wat: ${bytes.length} bytes of WebAssembly, as base64.`,
  'export const pixelKernelWasm =',
  lines.map((line) => `  '${line}'`).join(' +\n'),
  '',
].join('\n')
// `-`: to standard output
if (process.argv[2] === '-') process.stdout.write(text)
else writeFileSync(target, text)
