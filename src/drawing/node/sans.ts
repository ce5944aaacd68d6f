import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { LeftOut } from '../../base/left-out.js'
import { Lettering } from '../lettering.js'

const file = '@fontsource/dejavu-sans/files/dejavu-sans-latin-400-normal.woff'

/** @throws BlvitError {@link LeftOut} where an application was bundled without it */
function fontFile(): string {
  try {
    return createRequire(import.meta.url).resolve(file)
  } catch (cause) {
    throw new LeftOut('The font of drawings', { cause })
  }
}

async function read(): Promise<Lettering> {
  const bytes = await readFile(fontFile())
  return Lettering.read(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}

let loading: Promise<Lettering> | undefined

/** DejaVu Sans: Latin, Greek, Cyrillic, Arabic and signs such as → ×; takes 0.2 s to read, once a process. */
export function sans(): Promise<Lettering> {
  loading ??= read().catch((thrown: unknown) => {
    loading = undefined // the next one may be luckier
    throw thrown
  })
  return loading
}
