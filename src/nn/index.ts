export { type AttentionOptions, type AttentionView, attention, type Meeting } from './attention.js'
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
