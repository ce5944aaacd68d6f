// Every reduction. Adding one is its file and a line here.
export { adaVit } from './ada-vit.js'
export { dynamicVit } from './dynamic-vit.js'
export { evit } from './evit.js'
export { mctf } from './mctf.js'
export { random } from './random.js'
export { tome } from './tome.js'
export { topK } from './top-k.js'
