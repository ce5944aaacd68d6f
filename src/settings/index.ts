/** Every setting. Adding one is its file and a line here. */
export { cascade } from './cascade.js'
export { firstLayers } from './first-layers.js'
export { imageSize } from './image-size.js'
export { keepMass } from './keep-mass.js'
export { keepRatio } from './keep-ratio.js'
export { quota } from './quota.js'
export { reduce } from './reduce.js'
