import { fileURLToPath } from 'node:url'
import { picturesIn } from './expand-inputs.js'

/** The photographs that come with blvit. */
export function examplePictures(): Promise<string[]> {
  return picturesIn(fileURLToPath(new URL('../../examples', import.meta.url)))
}
