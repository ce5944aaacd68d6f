import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runInNewContext } from 'node:vm'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BlvitError } from '../../../src/base/blvit-error.js'
import type { ImageInput } from '../../../src/image/image-input.js'
import { decodeImage } from '../../../src/image/node/decode.js'
import type { Pixels } from '../../../src/image/pixels.js'
import { fixture, fromBase64, readJson } from '../fixtures.js'

interface DecodedFixture {
  readonly width: number
  readonly height: number
  readonly rgb: string
}

let folder = ''
let server: Server
let origin = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blvit-decode-'))
  const picture = await readFile(fixture('rgb.png'))
  server = createServer((request, response) => {
    if (request.url === '/rgb.png') response.end(picture)
    else if (request.url === '/silent.png') response.writeHead(200).flushHeaders()
    else if (request.url === '/busy') response.writeHead(503).end()
    else if (request.url === '/private') response.writeHead(403).end()
    else response.writeHead(404).end('no such picture')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true })
})

describe('decoding gives the pixels of Pillow', () => {
  test.each(Object.entries(readJson<Record<string, DecodedFixture>>(fixture('decoded.json'))))(
    '%s',
    async (name, { width, height, rgb }) => {
      const pixels = await decodeImage(fixture(name))
      expect([pixels.width, pixels.height]).toEqual([width, height])
      expect(Buffer.compare(pixels.values, fromBase64(rgb))).toBe(0)
    },
  )
})

describe('decoding', () => {
  test('keeps the high byte of 16 bits, in colour and in grey', async () => {
    const samples = new Uint16Array([0, 255, 256, 32_768, 65_280, 65_535])
    const grey = { raw: { width: 6, height: 1, channels: 1 } } as const
    const colour = { raw: { width: 2, height: 1, channels: 3 } } as const
    const grey16 = await sharp(samples, grey).toColourspace('grey16').png().toBuffer()
    const rgb16 = await sharp(samples, colour).toColourspace('rgb16').png().toBuffer()
    expect((await sharp(rgb16).metadata()).depth).toBe('ushort')
    expect([...(await decodeImage(rgb16)).values]).toEqual([0, 0, 1, 128, 255, 255])
    const expected = [0, 0, 1, 128, 255, 255].flatMap((value) => [value, value, value])
    expect([...(await decodeImage(grey16)).values]).toEqual(expected)
  })

  test('reads AVIF', async () => {
    const avif = await sharp(fixture('rgb.png')).avif({ lossless: true }).toBuffer()
    expect(await decodeImage(avif)).toMatchObject({ width: 21, height: 13 })
  })

  test('takes a path, an address, bytes, a Blob or pixels alike', async () => {
    const path = fixture('rgb.png')
    const bytes = await readFile(path)
    const expected = await decodeImage(path)
    const size = { width: expected.width, height: expected.height }
    const rgba = Array.from({ length: 21 * 13 }, (_, i) => [
      ...expected.values.subarray(3 * i, 3 * i + 3),
      i % 256,
    ]).flat()
    const shared = new SharedArrayBuffer(bytes.length)
    new Uint8Array(shared).set(bytes)
    const inputs: Record<string, ImageInput> = {
      'file URL': pathToFileURL(path),
      'file URL as text': pathToFileURL(path).href,
      Buffer: bytes,
      Uint8Array: new Uint8Array(bytes),
      ArrayBuffer: Uint8Array.from(bytes).buffer,
      SharedArrayBuffer: shared,
      'a view of shared memory': new Uint8Array(shared),
      DataView: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      'bytes of another realm': runInNewContext('Uint8Array.from(bytes)', { bytes }),
      Blob: new Blob([bytes]),
      'data URL': new URL(`data:image/png;base64,${bytes.toString('base64')}`),
      'data URL as text': `data:image/png;base64,${bytes.toString('base64')}`,
      'data address without base64': `data:,${[...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`,
      'blob URL': URL.createObjectURL(new Blob([bytes])),
      ImageData: { ...size, data: Uint8ClampedArray.from(rgba), colorSpace: 'srgb' } as ImageInput,
      'RawImage of transformers.js': { ...size, channels: 3, data: expected.values },
      File: new File([bytes], 'rgb.png'),
      Pixels: expected,
      'http address': `${origin}/rgb.png`,
      'http URL': new URL(`${origin}/rgb.png`),
    }
    for (const [kind, input] of Object.entries(inputs)) {
      const pixels = await decodeImage(input)
      expect([pixels.width, pixels.height], kind).toEqual([21, 13])
      expect(Buffer.compare(pixels.values, expected.values), kind).toBe(0)
    }
  })

  test('takes as many pixels as maxPixels, and no more', async () => {
    await expect(decodeImage(fixture('rgb.png'), { maxPixels: 21 * 13 })).resolves.toBeDefined()
    const failure = await failureOf(fixture('rgb.png'), { maxPixels: 21 * 13 - 1 })
    expect(failure.message).toMatch(/rgb\.png is 21 × 13, 273 pixels; the limit is 272\./)
    // pixels that are there already are no exception: what is made of them takes memory too
    const raw = { width: 10_001, height: 10_000, channels: 1, values: new Uint8Array(100_010_000) } as const
    await expect(decodeImage(raw)).rejects.toThrow(
      /raw pixels is 10001 × 10000, 100010000 pixels; the limit is 100000000\./,
    )
    const { width } = await decodeImage(raw, { maxPixels: 100_010_000 })
    expect(width).toBe(10_001)
  })

  test('refuses a senseless maxPixels', async () => {
    expect((await failureOf(fixture('rgb.png'), { maxPixels: Number.NaN })).code).toBe('BAD_OPTION')
  })

  test('stops when aborted, before and while it waits', async () => {
    expect((await failureOf(fixture('rgb.png'), { signal: AbortSignal.abort() })).code).toBe('ABORTED')
    const waiting = failureOf(`${origin}/silent.png`, { signal: AbortSignal.timeout(50) })
    expect((await waiting).code).toBe('ABORTED')
  })
})

describe('a bad picture is refused with its name', () => {
  test('an empty file', async () => {
    const path = await write('empty.jpg', new Uint8Array(0))
    expect(await failureOf(path)).toMatchObject({ code: 'BAD_IMAGE' })
    expect((await failureOf(path)).message).toContain('empty.jpg is empty')
  })

  test('text that is called .jpg', async () => {
    const failure = await failureOf(await write('text.jpg', Buffer.from('this is no picture')))
    expect(failure.code).toBe('BAD_IMAGE')
    expect(failure.message).toMatch(
      /text\.jpg can't be decoded .*Expected JPEG, PNG, WebP, GIF, TIFF, AVIF or BMP\.$/,
    )
  })

  /** The first box of an ISO base media file. */
  const brands = (...names: readonly string[]) =>
    Buffer.concat([
      Buffer.of(0, 0, 0, 16 + 4 * (names.length - 1)),
      Buffer.from(`ftyp${names[0]}\0\0\0\0`),
      Buffer.from(names.slice(1).join('')),
    ])
  const hevc =
    /^.* is HEIC, which isn't read: its codec, HEVC, is under patents, so the libvips that sharp brings has none\. Convert it/

  test.each([
    [
      'a drawing',
      'a.svg',
      '<svg xmlns="http://www.w3.org/2000/svg" width="3" height="3"/>',
      /a\.svg is SVG, which isn't read: it is a drawing/,
    ],
    [
      'a drawing behind a comment, called .jpg',
      'a.jpg',
      '\uFEFF<?xml version="1.0"?><!-- a --><svg/>',
      /a\.jpg is SVG/,
    ],
    ['a telephone’s photo', 'a.heic', brands('heic', 'mif1', 'heic'), hevc],
    ['one that is called .jpg', 'a.jpg', brands('mif1', 'mif1', 'heic'), hevc],
    ['one by its name alone', 'a.HEIF', 'x', hevc],
    ['an icon', 'a.ico', Buffer.of(0, 0, 1, 0, 1, 0), /a\.ico is an icon \(ICO\), which isn't read/],
    [
      'JPEG XL',
      'a.jxl',
      Buffer.of(0xff, 0x0a),
      /is JPEG XL, which isn't read: blvit has no decoder for it\. Convert it/,
    ],
    ['a drawing that is packed', 'a.svgz', Buffer.of(0x1f, 0x8b, 8), /is SVG/],
    [
      'a web page',
      'a.jpg',
      '\n<!DOCTYPE html><html>',
      /can't be decoded \(it is a web page, perhaps a download that was refused\)/,
    ],
    [
      'a pointer of Git LFS',
      'a.jpg',
      'version https://git-lfs.github.com/spec/v1\noid',
      /it is a pointer of Git LFS, get the file by git lfs pull/,
    ],
    ['a PDF', 'a.jpg', '%PDF-1.7', /a\.jpg can't be decoded \(it begins like no picture that is known\)/],
  ])('%s', async (_, name, content, message) => {
    const failure = await failureOf(await write(name, Buffer.from(content)))
    expect(failure.code).toBe('BAD_IMAGE')
    expect(failure.message).toMatch(message)
  })

  test('one whose container names no codec', async () => {
    const bytes = await readFile(fixture('hevc.heif'))
    expect(bytes.toString('latin1', 8, 28)).not.toMatch(/hei|hev/)
    expect((await failureOf(bytes)).message).toMatch(hevc)
  })

  test('its name doesn’t matter where its content is a picture’s', async () => {
    const png = await readFile(fixture('rgb.png'))
    for (const name of ['a.heic', 'b.txt', 'c']) {
      expect(await decodeImage(await write(name, png))).toMatchObject({ width: 21, height: 13 })
    }
  })

  test.skipIf(process.platform === 'win32')('a link that leads nowhere, and one in a circle', async () => {
    await symlink('gone.jpg', join(folder, 'broken.jpg'))
    await symlink('circle.jpg', join(folder, 'circle.jpg'))
    expect((await failureOf(join(folder, 'broken.jpg'))).message).toBe(
      `${folder}/broken.jpg is a link that leads to gone.jpg, which isn't there.`,
    )
    expect((await failureOf(join(folder, 'circle.jpg'))).message).toBe(
      `${folder}/circle.jpg is a link that leads in a circle.`,
    )
  })

  test('a name in another Unicode form is the same name', async () => {
    const png = await readFile(fixture('rgb.png'))
    await mkdir(join(folder, 'Zürich'.normalize('NFD')), { recursive: true })
    await write(`${'Zürich'.normalize('NFD')}/${'São.png'.normalize('NFD')}`, png)
    expect(await decodeImage(join(folder, 'Zürich', 'São.png'.normalize('NFC')))).toMatchObject({ width: 21 })
    expect(await failureOf(join(folder, 'Zürich', 'Söo.png'))).toMatchObject({ code: 'NOT_FOUND' })
  })

  test('addresses in memory that hold nothing', async () => {
    expect((await failureOf('data:image/png;base64,####')).message).toMatch(
      /^the data: address data:image\/png;base64,####… (can't be read; expected data:image|is empty)/,
    )
    expect((await failureOf('blob:nodedata:00000000-0000-0000-0000-000000000000')).message).toMatch(
      /it was revoked/,
    )
    expect((await failureOf('')).message).toBe('The path of a picture is empty.')
  })

  test.each([
    'rgb-420.jpg',
    'rgb-422-progressive.jpg',
    'rgb.png',
    'rgb-lossy.webp',
    'rgb-lzw.tif',
    'animated.gif',
  ])('%s, cut off anywhere', async (name) => {
    const whole = await readFile(fixture(name))
    for (const share of [0.95, 0.7, 0.3, 0.02]) {
      const path = await write(name, whole.subarray(0, Math.floor(whole.length * share)))
      // the end of a GIF's second frame isn't needed for the first
      if (name === 'animated.gif' && share > 0.5) continue
      const failure = await failureOf(path)
      expect(failure.code, `${share}`).toBe('BAD_IMAGE')
      expect(failure.message).toContain(name)
    }
  })

  test('a header that claims 60,000 × 60,000 pixels, before any memory is taken for them', async () => {
    const failure = await failureOf(await write('bomb.png', pngHeader(60_000, 60_000)))
    expect(failure.code).toBe('BAD_IMAGE')
    expect(failure.message).toMatch(/bomb\.png is 60000 × 60000, 3600000000 pixels; the limit is 100000000\./)
  })

  test('a header that claims 0 × 0 pixels', async () => {
    const failure = await failureOf(await write('nothing.png', pngHeader(0, 0)))
    expect(failure.code).toBe('BAD_IMAGE')
    expect(failure.message).toContain('nothing.png')
  })

  test('samples in floating point', async () => {
    expect((await failureOf(fixture('float.tif'))).message).toMatch(
      /float\.tif has float samples, whose white is not defined; save it with 8 or 16 bits a channel\.$/,
    )
  })

  test('a folder', async () => {
    expect(await failureOf(folder)).toMatchObject({ code: 'BAD_IMAGE' })
    expect((await failureOf(folder)).message).toContain('is a folder; name one picture in it.')
  })

  test.skipIf(process.platform === 'win32')('a device, which has no end', async () => {
    expect((await failureOf('/dev/zero')).message).toBe(
      '/dev/zero is not a regular file; pass a picture file.',
    )
  })

  test('a missing file, with the name that was meant', async () => {
    await write('owl.jpg', Buffer.from('x'))
    const failure = await failureOf(join(folder, 'owk.jpg'))
    expect(failure.code).toBe('NOT_FOUND')
    expect(failure.message).toMatch(/^There is no file .*owk\.jpg\. Did you mean "owl\.jpg"\?$/)
  })

  test('a missing folder', async () => {
    const failure = await failureOf(join(folder, 'nowhere', 'owl.jpg'))
    expect(failure.code).toBe('NOT_FOUND')
    expect(failure.message).toMatch(/There is no folder .*nowhere either; the current folder is/)
  })

  test('bytes without a name', async () => {
    expect((await failureOf(Buffer.from('nonsense'))).message).toMatch(
      /^the picture of 8 bytes can't be decoded/,
    )
    expect((await failureOf(new Blob([]))).message).toMatch(/^the picture of 0 bytes is empty/)
  })

  test('addresses that answer otherwise, not at all, or not to us', async () => {
    const missing = await failureOf(`${origin}/owl.jpg`)
    expect(missing.code).toBe('NOT_FOUND')
    expect(missing.message).toBe(`${origin}/owl.jpg answered 404 Not Found; check the address.`)
    expect((await failureOf(`${origin}/busy`)).message).toBe(
      `${origin}/busy answered 503 Service Unavailable; try again later.`,
    )
    expect((await failureOf(`${origin}/private`)).message).toMatch(
      /answered 403 Forbidden; it doesn't give it to everybody/,
    )
    const secret = await failureOf('http://me:secret@127.0.0.1:1/owl.jpg')
    expect(secret.code).toBe('BAD_OPTION')
    expect(secret.message).not.toContain('secret')
    for (const address of ['file://host/owl.jpg', 'file:///a%2Fb.jpg']) {
      expect(await failureOf(address)).toMatchObject({
        code: 'BAD_OPTION',
        message: expect.stringMatching(/ is no address of a file on this machine: /),
      })
    }
    const unreachable = await failureOf('http://127.0.0.1:1/owl.jpg')
    expect(unreachable.code).toBe('OFFLINE')
    expect(unreachable.message).toContain('http://127.0.0.1:1/owl.jpg could not be fetched: ')
    const ftp = await failureOf(new URL('ftp://example.org/owl.jpg'))
    expect(ftp).toMatchObject({ code: 'BAD_OPTION' })
    expect((await failureOf('http://')).message).toBe('http:// is not a valid address.')
  })

  test('something else altogether', async () => {
    const others = [null, undefined, 7, {}, [1], new Float32Array(3), new Response('x'), Object.create(null)]
    for (const input of others) {
      const failure = await failureOf(input as unknown as ImageInput)
      expect(failure.code).toBe('BAD_OPTION')
      expect(failure.message).toContain('A picture is a path, a URL,')
    }
  })
})

async function failureOf(
  input: ImageInput,
  options?: Parameters<typeof decodeImage>[1],
): Promise<BlvitError> {
  const outcome: Pixels | unknown = await decodeImage(input, options).catch((thrown: unknown) => thrown)
  expect(outcome).toBeInstanceOf(BlvitError)
  return outcome as BlvitError
}

async function write(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

/** A PNG whose header claims a size and whose pixels are missing. */
function pngHeader(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2], 8) // 8 bits, RGB
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(Buffer.alloc(10))),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

function pngChunk(type: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const body = Buffer.concat([Buffer.from(type), data])
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}

/** zlib.crc32 came with Node 22. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1
  }
  return ~crc >>> 0
}
