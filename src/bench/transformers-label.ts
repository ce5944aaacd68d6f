// A program of its own: what somebody would write who wants one picture's label from transformers.js.
import { transformersClassifier } from './transformers-js.js'

const [folder = '', picture = '', threads] = process.argv.slice(2)
const { classify } = await transformersClassifier(folder, {
  threads: threads === undefined ? undefined : Number(threads),
})
console.log(JSON.stringify(await classify([picture])))
await classify.dispose()
