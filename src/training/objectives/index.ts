export { cosineDistance } from './cosine-distance.js'
export { crossEntropy, smoothedTargets } from './cross-entropy.js'
export { type KlDivergenceOptions, klDivergence } from './kl-divergence.js'
export { meanSquaredError, normalisedSquaredError } from './squared-error.js'
