/** Everything that can be asked of a picture. Adding a problem is its file and a line here. */
export { classify } from './classify.js'
export { embed } from './embed.js'
export { features } from './features.js'
export { headInput } from './head-input.js'
