import { packageFile } from '../files/package-file.js'
import { picturesIn } from './expand-inputs.js'

/** The photographs that come with blvit. */
export function examplePictures(): Promise<string[]> {
  return picturesIn(packageFile('examples', 'The folder of example photographs'))
}
