import { usualSwitches, type VitConfig } from '../../src/models/vit-config.js'

/** The tiny ViT of golden/vit; its distilled DeiT has a second token, else the same sizes. */
export const goldenVit: VitConfig = {
  family: 'vit',
  ...usualSwitches({ distilled: false }),
  image: { height: 32, width: 32 },
  patchSize: 8,
  channels: 3,
  width: 48,
  depth: 4,
  heads: 3,
  mlpRatio: 4,
  classes: 10,
  layerNormEpsilon: 1e-6,
  distilled: false,
}
