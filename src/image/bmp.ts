import { BlvitError } from '../base/blvit-error.js'
import type { Pixels } from './pixels.js'
import { type Steps, unitsPerStep } from './steps.js'

const fileHeaderBytes = 14
/** BITMAPCOREHEADER of OS/2: 16-bit sides and a palette of three bytes a colour. */
const coreHeaderBytes = 12
/** BITMAPINFOHEADER; later ones begin with it. */
const infoHeaderBytes = 40

/** How the pixels are stored. */
const compressions = { none: 0, rle8: 1, rle4: 2, masks: 3, masksAndAlpha: 6 } as const

/** What the headers of a bitmap say. */
export interface BmpHeader {
  readonly width: number
  readonly height: number
  /** Rows usually go up. */
  readonly topDown: boolean
  readonly bitsPerPixel: number
  readonly compression: number
  /** Where the first row begins. */
  readonly pixelsAt: number
  readonly palette: Uint8Array
  /** Of red, green and blue, where a pixel has 16 or 32 bits. */
  readonly masks: readonly [number, number, number]
}

/**
 * Reads the headers; allocates nothing that depends on the picture's size.
 * @throws BlvitError `BAD_IMAGE`: no such picture, a form that isn't read, sides that make no sense
 */
export function bmpHeader(bytes: Uint8Array, name: string): BmpHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerBytes =
    bytes.length < fileHeaderBytes + coreHeaderBytes ? 0 : view.getUint32(fileHeaderBytes, true)
  const isCore = headerBytes === coreHeaderBytes
  if ((!isCore && headerBytes < infoHeaderBytes) || bytes.length < fileHeaderBytes + headerBytes) {
    throw cutOff(name, bytes)
  }
  const [width, signedHeight] = isCore
    ? [view.getUint16(18, true), view.getUint16(20, true)]
    : [view.getInt32(18, true), view.getInt32(22, true)]
  const bitsPerPixel = view.getUint16(isCore ? 24 : 28, true)
  const compression = isCore ? compressions.none : view.getUint32(30, true)
  const height = Math.abs(signedHeight)
  if (width < 1 || height < 1) {
    throw new BlvitError(
      'BAD_IMAGE',
      `${name} is ${width} × ${signedHeight}; a picture has at least one pixel.`,
      {
        name,
      },
    )
  }
  if (!isReadable(bitsPerPixel, compression)) {
    throw new BlvitError(
      'BAD_IMAGE',
      `${name} is a BMP of ${bitsPerPixel} bits a pixel in compression ${compression}, which isn't read; save it ` +
        'as PNG, or as BMP without compression.',
      { name, bitsPerPixel, compression },
    )
  }
  const hasMasks = compression === compressions.masks || compression === compressions.masksAndAlpha
  // The oldest header is followed by its masks, later ones hold them, at the same place.
  const masksEnd = fileHeaderBytes + infoHeaderBytes + (compression === compressions.masksAndAlpha ? 16 : 12)
  const paletteAt = hasMasks
    ? Math.max(masksEnd, fileHeaderBytes + headerBytes)
    : fileHeaderBytes + headerBytes
  if (hasMasks && bytes.length < masksEnd) throw cutOff(name, bytes)
  const maskAt = (index: number) => view.getUint32(fileHeaderBytes + infoHeaderBytes + 4 * index, true)
  const colours = isCore ? 0 : view.getUint32(46, true)
  return {
    ...{ width, height, topDown: signedHeight < 0, bitsPerPixel, compression },
    pixelsAt: view.getUint32(10, true),
    palette: paletteFrom(bytes.subarray(paletteAt), { bitsPerPixel, colours, entryBytes: isCore ? 3 : 4 }),
    masks: hasMasks ? [maskAt(0), maskAt(1), maskAt(2)] : usualMasks(bitsPerPixel),
  }
}

function isReadable(bitsPerPixel: number, compression: number): boolean {
  switch (compression) {
    case compressions.none:
      return [1, 4, 8, 16, 24, 32].includes(bitsPerPixel)
    case compressions.rle8:
      return bitsPerPixel === 8
    case compressions.rle4:
      return bitsPerPixel === 4
    case compressions.masks:
    case compressions.masksAndAlpha:
      return bitsPerPixel === 16 || bitsPerPixel === 32
    default:
      return false
  }
}

function usualMasks(bitsPerPixel: number): BmpHeader['masks'] {
  return bitsPerPixel === 16 ? [0x7c00, 0x03e0, 0x001f] : [0xff0000, 0x00ff00, 0x0000ff]
}

/** `[colours, 3]` red, green, blue; as many as an index can name, black where the file has fewer. */
function paletteFrom(
  bytes: Uint8Array,
  { bitsPerPixel, colours, entryBytes }: { bitsPerPixel: number; colours: number; entryBytes: number },
): Uint8Array {
  if (bitsPerPixel > 8) return new Uint8Array(0)
  const most = 1 << bitsPerPixel
  const palette = new Uint8Array(3 * most)
  const stored = Math.min(most, colours === 0 ? most : colours, Math.floor(bytes.length / entryBytes))
  for (let i = 0; i < stored; i++) {
    palette[3 * i] = bytes[i * entryBytes + 2] as number
    palette[3 * i + 1] = bytes[i * entryBytes + 1] as number
    palette[3 * i + 2] = bytes[i * entryBytes] as number
  }
  return palette
}

/**
 * The pixels of a bitmap, byte for byte as Pillow's `convert('RGB')` gives them; alpha is dropped.
 * @throws BlvitError `BAD_IMAGE` where pixels are missing
 */
export function* bmpPixels(bytes: Uint8Array, header: BmpHeader, name: string): Steps<Pixels> {
  const { width, height, topDown, bitsPerPixel, compression, pixelsAt, palette } = header
  const isPacked = compression === compressions.rle8 || compression === compressions.rle4
  // Rows are filled up to a multiple of four bytes; the last one may lack the filling.
  const rowBytes = isPacked ? width : 4 * Math.ceil((width * bitsPerPixel) / 32)
  const neededBytes = rowBytes * (height - 1) + Math.ceil((width * bitsPerPixel) / 8)
  if (pixelsAt > bytes.length || (!isPacked && pixelsAt + neededBytes > bytes.length))
    throw cutOff(name, bytes)
  const stored = isPacked ? yield* unpacked(bytes.subarray(pixelsAt), header) : bytes.subarray(pixelsAt)
  if (stored === undefined) throw cutOff(name, bytes)
  const writeRow =
    bitsPerPixel === 24
      ? writeBgr
      : bitsPerPixel > 8
        ? masked(header)
        : indexed(palette, isPacked ? 8 : bitsPerPixel)
  const values = new Uint8Array(3 * width * height)
  const rowsPerStep = unitsPerStep(4 * width)
  for (let row = 0; row < height; row++) {
    const target = topDown ? row : height - 1 - row
    writeRow(
      stored.subarray(row * rowBytes, (row + 1) * rowBytes),
      values.subarray(3 * width * target, 3 * width * (target + 1)),
    )
    if (row % rowsPerStep === 0) yield
  }
  return { width, height, values }
}

/** Fills a row of RGB from a stored one. */
type WriteRow = (stored: Uint8Array, rgb: Uint8Array) => void

const writeBgr: WriteRow = (stored, rgb) => {
  for (let i = 0; i < rgb.length; i += 3) {
    rgb[i] = stored[i + 2] as number
    rgb[i + 1] = stored[i + 1] as number
    rgb[i + 2] = stored[i] as number
  }
}

function indexed(palette: Uint8Array, bits: number): WriteRow {
  const perByte = 8 / bits
  const mask = (1 << bits) - 1
  return (stored, rgb) => {
    for (let x = 0; 3 * x < rgb.length; x++) {
      const byte = stored[Math.floor(x / perByte)] as number
      const index = (byte >> (8 - bits - bits * (x % perByte))) & mask
      rgb.set(palette.subarray(3 * index, 3 * index + 3), 3 * x)
    }
  }
}

/** Pixels of 16 or 32 bits; the largest value of a channel becomes 255. */
function masked({ bitsPerPixel, masks }: BmpHeader): WriteRow {
  const channels = masks.map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask)
    return { mask, shift, largest: Math.max(1, mask >>> shift) }
  })
  const bytesPerPixel = bitsPerPixel / 8
  return (stored, rgb) => {
    for (let to = 0, from = 0; to < rgb.length; to += 3, from += bytesPerPixel) {
      let pixel = (stored[from] as number) | ((stored[from + 1] as number) << 8)
      if (bytesPerPixel === 4) {
        pixel |= ((stored[from + 2] as number) << 16) | ((stored[from + 3] as number) << 24)
      }
      for (const [channel, { mask, shift, largest }] of channels.entries()) {
        // cut off, not rounded, as Pillow does
        rgb[to + channel] = Math.floor((((pixel & mask) >>> shift) * 255) / largest)
      }
    }
  }
}

/**
 * Run lengths to one index a byte, in the order of the rows. What was skipped has index 0.
 * @returns undefined where the codes end before their end mark and before the last pixel
 */
function* unpacked(
  codes: Uint8Array,
  { width, height, compression }: BmpHeader,
): Steps<Uint8Array | undefined> {
  const indices = new Uint8Array(width * height)
  const nibbles = compression === compressions.rle4
  let [x, y, at] = [0, 0, 0]
  const put = (index: number) => {
    if (x < width && y < height) indices[y * width + x] = index
    x += 1
  }
  while (y < height) {
    const count = codes[at++]
    const value = codes[at++]
    if (count === undefined || value === undefined)
      return y === height - 1 && x >= width ? indices : undefined
    if (count > 0) {
      for (let i = 0; i < count; i++) put(nibbles ? (i % 2 === 0 ? value >> 4 : value & 15) : value)
    } else if (value === 0) {
      x = 0
      y += 1
      yield
    } else if (value === 1) {
      break
    } else if (value === 2) {
      x += codes[at++] ?? 0
      y += codes[at++] ?? 0
    } else {
      const storedBytes = nibbles ? Math.ceil(value / 2) : value
      if (at + storedBytes > codes.length) return undefined
      for (let i = 0; i < value; i++) {
        const byte = codes[at + (nibbles ? i >> 1 : i)] as number
        put(nibbles ? (i % 2 === 0 ? byte >> 4 : byte & 15) : byte)
      }
      // to a multiple of two bytes
      at += storedBytes + (storedBytes % 2)
    }
  }
  return indices
}

function cutOff(name: string, { length }: Uint8Array): BlvitError {
  return new BlvitError(
    'BAD_IMAGE',
    `${name} is a BMP that was cut off or is damaged: it has ${length} bytes.`,
    {
      name,
      sizeBytes: length,
    },
  )
}
