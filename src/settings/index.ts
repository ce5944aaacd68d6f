/** Every setting. Adding one is its file and a line here. */
export { keepRatio } from './keep-ratio.js'
export { reduce } from './reduce.js'
