import type { EmbeddedPicture } from '../tasks/node/embed/embed-many.js'
import { embeddingFormatOf } from '../tasks/node/embed/embedding-formats.js'
import type { CliContext } from './context.js'

/** Writes the vectors of pictures, and says what was written. @param options `failures`: pictures that have none */
export async function writeEmbeddings(
  embedded: readonly EmbeddedPicture[],
  { output, json, failures }: { output: string; json: boolean | undefined; failures: number },
  { out }: Pick<CliContext, 'out'>,
): Promise<void> {
  const format = embeddingFormatOf(output)
  const vectors = embedded.flatMap((picture) => ('vector' in picture ? [picture] : []))
  if (vectors.length > 0) await format.write(output, vectors)
  const files = vectors.length > 0 ? format.paths(output) : []
  const width = vectors[0]?.vector.length ?? 0
  if (json) await out(JSON.stringify({ output, files, pictures: vectors.length, width, failures }))
  else if (files.length > 0) await out(`Wrote ${files.join(' and ')}: ${vectors.length} × ${width}.`)
}
