import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files by name. */
export type Files = ReadonlyMap<string, Uint8Array>

/** All files directly in a folder of the repository, whose root the process runs in. */
function filesIn(folder: string): Files {
  const names = readdirSync(folder).sort()
  return new Map(names.map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]))
}

/** Sound pictures that end in one of these. */
export function seedPictures(endings: readonly string[]): readonly Uint8Array[] {
  const small = 6_000
  return ['test/fuzz/seeds/pictures', 'test/fixtures/images'].flatMap((folder) =>
    [...filesIn(folder)]
      .filter(([name, bytes]) => endings.some((ending) => name.endsWith(ending)) && bytes.length < small)
      .map(([, bytes]) => bytes),
  )
}

/** Sound bitmaps of every form that is read. */
export function seedBitmaps(): readonly Uint8Array[] {
  const { files } = JSON.parse(readFileSync('test/fixtures/bmp/bitmaps.json', 'utf8')) as {
    files: Readonly<Record<string, { bmp: string }>>
  }
  return Object.values(files).map(({ bmp }) => new Uint8Array(Buffer.from(bmp, 'base64')))
}

/** Sound model folders, in every dialect that blvit reads. */
export const seedModelFolders: readonly string[] = [
  'timm-f32',
  'huggingface-f16-sharded',
  'deit-bf16',
  'blvit-f32',
  'transformers-js',
].map((name) => join('test/fuzz/seeds', name))

export function seedModels(): readonly Files[] {
  return seedModelFolders.map(filesIn)
}
