import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32, deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { stackTrace } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const picture = join(root, 'examples/kite.jpg')
const shipped = join(root, 'assets/models/vit-tiny')

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>

interface SafetensorsParts {
  header: Header
  data: Buffer
}

function readParts(): SafetensorsParts {
  const file = readFileSync(join(shipped, 'model.safetensors'))
  const length = Number(file.readBigUInt64LE(0))
  return { header: JSON.parse(file.toString('utf8', 8, 8 + length)), data: file.subarray(8 + length) }
}

function fileOf({ header, data }: SafetensorsParts): Buffer {
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, data])
}

function entry(header: Header, name: string): Header[string] {
  const found = header[name]
  if (!found) throw new Error(`no tensor ${name}`)
  return found
}

function pngChunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content])
  const frame = Buffer.alloc(4)
  frame.writeUInt32BE(content.length)
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([frame, body, check])
}

/** A sound PNG of a few bytes that says how large it is and holds one row of nothing. */
function pngHeader(width: number, height: number): Buffer {
  const size = Buffer.alloc(13)
  size.writeUInt32BE(width, 0)
  size.writeUInt32BE(height, 4)
  size.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  return Buffer.concat([
    signature,
    pngChunk('IHDR', size),
    pngChunk('IDAT', deflateSync(Buffer.alloc(16))),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

describe('damaged weights', () => {
  const folder = temporaryFolder()

  test.each<[string, (parts: SafetensorsParts) => Buffer, RegExp]>([
    ['an empty file', () => Buffer.alloc(0), /model\.safetensors.*0 bytes/],
    ['a file cut in the middle', (parts) => fileOf(parts).subarray(0, 5_000_000), /model\.safetensors/],
    ['a header longer than the file', () => Buffer.from('ffffff0000000000{}', 'latin1'), /header would have/],
    [
      'overlapping tensors',
      (parts) => {
        const norm = entry(parts.header, 'norm.weight')
        norm.data_offsets = entry(parts.header, 'norm.bias').data_offsets
        return fileOf(parts)
      },
      /overlap|contiguous|gap|hole/i,
    ],
    [
      'an unknown dtype',
      (parts) => {
        entry(parts.header, 'norm.weight').dtype = 'F8_E4M3'
        return fileOf(parts)
      },
      /norm\.weight.*F8_E4M3/,
    ],
    [
      'a missing tensor and one too many',
      (parts) => {
        parts.header['norm.wheight'] = entry(parts.header, 'norm.weight')
        delete parts.header['norm.weight']
        return fileOf(parts)
      },
      /norm\.weight(.|\n)*norm\.wheight|norm\.wheight(.|\n)*norm\.weight/,
    ],
    [
      'a tensor of another shape',
      (parts) => {
        entry(parts.header, 'head.weight').shape = [500, 384]
        return fileOf(parts)
      },
      /head\.weight.*\[500, 384\].*\[1000, 192\]/,
    ],
    [
      'a weight that is not a number',
      (parts) => {
        const data = Buffer.from(parts.data)
        data.writeUInt16LE(0x7e00, entry(parts.header, 'blocks.3.mlp.fc1.weight').data_offsets[0] + 20)
        return fileOf({ header: parts.header, data })
      },
      /not numbers.*blocks\.3\.mlp\.fc1\.weight \(1 NaN, 0 infinite, first at 10\)/,
    ],
  ])('%s', async (name, damage, message) => {
    const model = join(folder, name.replaceAll(' ', '-'))
    mkdirSync(model)
    copyFileSync(join(shipped, 'config.json'), join(model, 'config.json'))
    writeFileSync(join(model, 'model.safetensors'), damage(readParts()))
    const { code, stdout, stderr } = await runInProcess(['classify', picture, '-m', model])
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(stackTrace)
    expect(stdout).toBe('')
    expect(code).toBe(1)
  })

  test.each<[string, string, RegExp]>([
    ['no JSON', '{"model_type": "vit"', /config\.json is not JSON/],
    ['another kind of model', '{"model_type": "bert"}', /"bert"; blvit knows blvit, .*, vit \(timm/],
    [
      'sizes that don’t fit',
      '{"model_type": "vit", "architecture": "vit_tiny_patch16_224", "image_size": 225}',
      /225×225 is not a multiple of patch_size 16/,
    ],
    ['no sizes', '{"architecture": "vit_nice_patch16_224"}', /doesn't say "embed_dim"/],
    ['a list', '[]', /config\.json is not valid/],
  ])('a config.json with %s', async (name, config, message) => {
    const model = join(folder, `config-${name.replaceAll(' ', '-')}`)
    mkdirSync(model)
    writeFileSync(join(model, 'config.json'), config)
    const { code, stderr } = await runInProcess(['classify', picture, '-m', model])
    expect(stderr).toMatch(message)
    expect(code).toBe(1)
  })

  test('a folder that holds no model', async () => {
    const { code, stderr } = await runInProcess(['classify', picture, '-m', join(root, 'examples')])
    expect(stderr).toMatch(/has no config\.json, so it is not a model/)
    expect(code).toBe(1)
  })
})

describe('damaged pictures', () => {
  const folder = temporaryFolder()

  test.each<[string, string, () => Buffer, RegExp]>([
    ['an empty file', 'a.jpg', () => Buffer.alloc(0), /empty/],
    ['a text named .jpg', 'b.jpg', () => Buffer.from('hello, I am a text'), /b\.jpg/],
    ['a truncated JPEG', 'c.jpg', () => readFileSync(picture).subarray(0, 9000), /c\.jpg/],
    ['a PNG that claims 60,000×60,000 pixels', 'd.png', () => pngHeader(60_000, 60_000), /60,?000/],
    ['a PNG of 0×0 pixels', 'e.png', () => pngHeader(0, 0), /e\.png/],
  ])('%s', async (_, name, bytes, message) => {
    const path = join(folder, name)
    writeFileSync(path, bytes())
    const { code, stdout, stderr } = await runInProcess(['classify', path])
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/error: /)
    expect(stderr).not.toMatch(stackTrace)
    expect(stdout).toBe('')
    expect(code).toBe(1)
  })
})
