import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'

/** Colours that classes of pictures can be told by. */
export const colours = {
  red: { r: 220, g: 30, b: 30 },
  green: { r: 30, g: 200, b: 40 },
  blue: { r: 40, g: 40, b: 230 },
} as const

/** Writes a picture of a colour; two of another number differ. @returns its path */
export async function writeColour(
  path: string,
  colour: keyof typeof colours,
  number: number,
): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true })
  const { r, g, b } = colours[colour]
  const wave = (at: number) => Math.round(25 * Math.sin(number * 1.7 + at))
  const background = { r: r + wave(1), g: g + wave(2), b: b + wave(3) }
  await sharp({ create: { width: 24, height: 24, channels: 3, background } })
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
