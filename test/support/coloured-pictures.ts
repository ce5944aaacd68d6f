import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { seededRandom } from '../../src/base/random.js'

/** Colours that classes of pictures can be told by. */
export const colours = {
  red: { r: 220, g: 30, b: 30 },
  green: { r: 30, g: 200, b: 40 },
  blue: { r: 40, g: 40, b: 230 },
} as const

/** Writes a picture of noise around a colour; two of another number differ. @returns its path */
export async function writeColour(
  path: string,
  colour: keyof typeof colours,
  number: number,
): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true })
  const { r, g, b } = colours[colour]
  const random = seededRandom(number, colour)
  const side = 16
  const values = Uint8Array.from({ length: 3 * side * side }, (_, at) => {
    const value = ([r, g, b][at % 3] ?? 0) + 90 * (random() - 0.5)
    return Math.min(255, Math.max(0, Math.round(value)))
  })
  await sharp(values, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toFile(path)
  return path
}

/** Writes a folder with a folder of pictures for each colour. */
export async function writeColours(folder: string, { count }: { readonly count: number }): Promise<void> {
  for (const colour of Object.keys(colours) as (keyof typeof colours)[]) {
    for (let i = 0; i < count; i++) await writeColour(join(folder, colour, `${i}.png`), colour, i)
  }
}
