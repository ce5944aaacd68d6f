/** Every setting. Adding one is its file and a line here. */
export { firstLayers } from './first-layers.js'
export { imageSize } from './image-size.js'
export { keepRatio } from './keep-ratio.js'
export { reduce } from './reduce.js'
