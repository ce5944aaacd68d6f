/** A kind of picture file: how its name ends, how it begins, and whether blvit reads it. */
export interface PictureFormat {
  readonly name: string
  /** Lower case, with the dot. */
  readonly extensions: readonly string[]
  /** Does a file begin as this kind does? Some kinds have no mark. @param start its first 1,024 bytes or all of it */
  readonly begins?: (start: Uint8Array) => boolean
  /** Why it isn't read and what to do; undefined: it is. */
  readonly refused?: string
}

/** So many bytes tell a picture's kind. */
export const startBytes = 1024

/** What is read, for messages. */
export const formatNames = 'JPEG, PNG, WebP, GIF, TIFF, AVIF or BMP'

const convert = 'Convert it to JPEG or PNG first'

/** Text at a place of a file, in Latin-1. */
function textAt(start: Uint8Array, from: number, length: number): string {
  return String.fromCharCode(...start.subarray(from, from + length))
}

const at =
  (offset: number, ...marks: readonly string[]) =>
  (start: Uint8Array): boolean =>
    marks.some((mark) => textAt(start, offset, mark.length) === mark)

/** The brands of an ISO base media file (AVIF and HEIC are such): the major one, then those it is compatible with. */
function brandsOf(start: Uint8Array): readonly string[] {
  if (textAt(start, 4, 4) !== 'ftyp') return []
  const boxBytes = new DataView(start.buffer, start.byteOffset, start.byteLength).getUint32(0)
  const end = Math.min(boxBytes, start.length)
  const brands = [textAt(start, 8, 4)]
  for (let offset = 16; offset + 4 <= end; offset += 4) brands.push(textAt(start, offset, 4))
  return brands
}

const av1Brands = ['avif', 'avis']
const hevcBrands = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs']
/** Pictures in this container, whatever their codec: libvips says which. */
const containerBrands = ['mif1', 'msf1', 'miaf']

const isHevc = (start: Uint8Array): boolean => {
  const brands = brandsOf(start)
  return (
    hevcBrands.some((brand) => brands.includes(brand)) && !av1Brands.some((brand) => brands.includes(brand))
  )
}

const isAvif = (start: Uint8Array): boolean => {
  const brands = brandsOf(start)
  return !isHevc(start) && [...av1Brands, ...containerBrands].some((brand) => brands.includes(brand))
}

/** `BM`, then a header whose own size is that of a bitmap: two letters alone begin many a text. */
function isBmp(start: Uint8Array): boolean {
  const headerBytes =
    (start[14] ?? 0) | ((start[15] ?? 0) << 8) | ((start[16] ?? 0) << 16) | ((start[17] ?? 0) << 24)
  return textAt(start, 0, 2) === 'BM' && headerBytes >= 12 && headerBytes <= 124
}

function isSvg(start: Uint8Array): boolean {
  // a byte order mark, declarations and comments may stand before it
  const text = textAt(start, 0, start.length).replace(/^(?:\xEF\xBB\xBF)?\s*/, '')
  return /^<(?:\?xml|!--|!DOCTYPE|svg)/i.test(text) && /<(?:\w+:)?svg[\s/>]|<!DOCTYPE\s+svg/i.test(text)
}

/** A telephone's photo; in some the brands don't tell, only the codec inside does. */
export const heic: PictureFormat = {
  name: 'HEIC',
  extensions: ['.heic', '.heif', '.hif', '.heics', '.heifs'],
  begins: isHevc,
  refused:
    'its codec, HEVC, is under patents, so the libvips that sharp brings has none. ' +
    `${convert} (macOS: sips -s format jpeg in.heic --out out.jpg; elsewhere heif-convert or ImageMagick)`,
}

/** What decides whether a file in a folder or an archive is taken for a picture, and what a refusal says. */
const pictureFormats: readonly PictureFormat[] = [
  {
    name: 'JPEG',
    extensions: ['.jpg', '.jpeg', '.jpe', '.jfif', '.jif', '.jfi', '.pjpeg', '.pjp', '.mpo'],
    begins: at(0, '\xFF\xD8\xFF'),
  },
  { name: 'PNG', extensions: ['.png', '.apng'], begins: at(0, '\x89PNG\r\n\x1A\n') },
  {
    name: 'WebP',
    extensions: ['.webp'],
    begins: (start) => at(0, 'RIFF')(start) && at(8, 'WEBP')(start),
  },
  { name: 'GIF', extensions: ['.gif'], begins: at(0, 'GIF87a', 'GIF89a') },
  // the last two are BigTIFF's
  { name: 'TIFF', extensions: ['.tif', '.tiff'], begins: at(0, 'II*\0', 'MM\0*', 'II+\0', 'MM\0+') },
  { name: 'AVIF', extensions: ['.avif', '.avifs'], begins: isAvif },
  { name: 'BMP', extensions: ['.bmp', '.dib'], begins: isBmp },
  heic,
  {
    name: 'SVG',
    extensions: ['.svg', '.svgz'],
    begins: isSvg,
    refused:
      'it is a drawing, without pixels of its own, and may name other files to draw. Render it to PNG first',
  },
  {
    name: 'an icon (ICO)',
    extensions: ['.ico', '.cur'],
    begins: at(0, '\0\0\x01\0', '\0\0\x02\0'),
    refused: `it holds pictures of several sizes. ${convert}`,
  },
  unread('JPEG XL', ['.jxl'], at(0, '\xFF\x0A', '\0\0\0\x0CJXL ')),
  unread(
    'JPEG 2000',
    ['.jp2', '.j2k', '.j2c', '.jpc', '.jpf', '.jpx', '.jpm'],
    at(0, '\0\0\0\x0CjP  ', '\xFF\x4F\xFF\x51'),
  ),
  unread('Photoshop', ['.psd', '.psb'], at(0, '8BPS')),
  unread('GIMP', ['.xcf'], at(0, 'gimp xcf')),
  // binary ones: those in text begin as a text might
  unread('Netpbm', ['.ppm', '.pgm', '.pbm', '.pnm', '.pam', '.pfm'], at(0, 'P4\n', 'P5\n', 'P6\n', 'P7\n')),
  unread('Truevision TGA', ['.tga']),
  unread('PCX', ['.pcx']),
  unread('OpenEXR', ['.exr'], at(0, 'v/1\x01')),
  unread('Radiance', ['.hdr'], at(0, '#?RADIANCE', '#?RGBE')),
  unread('DDS', ['.dds'], at(0, 'DDS ')),
  unread('QOI', ['.qoi'], at(0, 'qoif')),
  unread('an icon (ICNS)', ['.icns'], at(0, 'icns')),
  unread('a camera’s raw file', [
    ...['.dng', '.cr2', '.cr3', '.crw', '.nef', '.nrw', '.arw', '.srf', '.sr2', '.orf', '.rw2'],
    ...['.raf', '.pef', '.srw', '.x3f'],
  ]),
]

function unread(
  name: string,
  extensions: readonly string[],
  begins?: (start: Uint8Array) => boolean,
): PictureFormat {
  return {
    name,
    extensions,
    refused: `blvit has no decoder for it. ${convert}`,
    ...(begins ? { begins } : {}),
  }
}

const byExtension = new Map(
  pictureFormats.flatMap((format) => format.extensions.map((extension) => [extension, format] as const)),
)

/** The extensions of what is read, for messages. */
export const readExtensions: readonly string[] = pictureFormats
  .filter(({ refused }) => refused === undefined)
  .flatMap(({ extensions }) => extensions)

/** The end of a name from its last dot, in lower case: `.jpg`. Names that only begin with a dot have none. */
function extensionOf(name: string): string {
  const [, extension = ''] = /[^/\\](\.[^./\\]*)$/.exec(name) ?? []
  return extension.toLowerCase()
}

/** What kind of picture a file would be by its name. Its content may be another. */
export function formatByName(name: string): PictureFormat | undefined {
  return byExtension.get(extensionOf(name))
}

/** What kind of picture a file is, whatever its name. @param start its first {@link startBytes} bytes, or all of it */
export function formatByContent(start: Uint8Array): PictureFormat | undefined {
  const beginning = start.subarray(0, startBytes)
  return pictureFormats.find((format) => format.begins?.(beginning))
}

// Named as something else: nobody looks into them for a picture. Annotations often lie beside each picture.
const otherExtensions: ReadonlySet<string> = new Set([
  ...[
    '.txt',
    '.md',
    '.html',
    '.htm',
    '.pdf',
    '.csv',
    '.tsv',
    '.json',
    '.jsonl',
    '.xml',
    '.yaml',
    '.yml',
    '.toml',
  ],
  ...[
    '.cls',
    '.npy',
    '.npz',
    '.mat',
    '.pkl',
    '.pt',
    '.pth',
    '.bin',
    '.safetensors',
    '.onnx',
    '.parquet',
    '.h5',
  ],
  ...[
    '.zip',
    '.tar',
    '.gz',
    '.tgz',
    '.bz2',
    '.xz',
    '.zst',
    '.7z',
    '.rar',
    '.mp4',
    '.mov',
    '.avi',
    '.mkv',
    '.webm',
  ],
  ...[
    '.mp3',
    '.wav',
    '.py',
    '.sh',
    '.js',
    '.ts',
    '.ipynb',
    '.log',
    '.ini',
    '.db',
    '.lnk',
    '.url',
    '.aae',
    '.xmp',
  ],
])

/** Does a name leave open what the file is? Then its content says whether it is a picture. */
export function isOpenByName(name: string): boolean {
  const extension = extensionOf(name)
  return !byExtension.has(extension) && !otherExtensions.has(extension)
}

const systemNames: ReadonlySet<string> = new Set([
  '__MACOSX',
  '@eaDir',
  '$RECYCLE.BIN',
  'System Volume Information',
  'Thumbs.db',
  'desktop.ini',
])

/**
 * Files and folders that systems leave behind: hidden ones, macOS's `._` doubles (whose names end as a picture's) and
 * `__MACOSX`, Synology's `@eaDir` with its thumbnails, Windows' recycle bin and caches.
 * @param name without its folders
 */
export function isSystemName(name: string): boolean {
  return name.startsWith('.') || systemNames.has(name)
}
