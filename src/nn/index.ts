export { type Attended, type AttentionOptions, attention } from './attention.js'
export { layerNorm } from './layer-norm.js'
export { linear, packedLinear } from './linear.js'
export { mlp } from './mlp.js'
export { patchEmbed } from './patch-embed.js'
export {
  dropPath,
  type StochasticDepthOptions,
  stochasticDepth,
  stochasticDepthInput,
} from './stochastic-depth.js'
