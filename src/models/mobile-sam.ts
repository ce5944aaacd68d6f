import { defined } from '../base/assert.js'
import { symbol } from '../graph/dim.js'
import { input } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import { maskPrograms } from './masks/mask-programs.js'
import { neck } from './masks/neck.js'
import { portablePrograms } from './masks/portable-programs.js'
import { type BuildOptions, type ModelDefinition, pixelsInput } from './model-definition.js'
import { samDecoder, samPrompts } from './sam.js'
import type { SamParts } from './sam-config.js'
import { type TinyVitConfig, tinyVit } from './tiny-vit.js'

/** MobileSAM (Zhang et al. 2023): SAM's prompts and decoder behind a TinyViT, which learned what SAM's encoder gives. */
export interface MobileSamConfig extends SamParts {
  readonly family: 'mobile-sam'
  readonly encoder: TinyVitConfig
}

/** The pictures in their frame, normalised. `[batch, 3, side, side]` */
function mobileSamPixels({ side }: MobileSamConfig): Tensor {
  return input(pixelsInput, [symbol('batch'), 3, side, side])
}

/** MobileSAM's image encoder. @returns `[batch, width, rows, columns]` */
function mobileSamEncoder(pixels: Tensor, config: MobileSamConfig): Tensor {
  return scope('image_encoder', () =>
    defined(neck(tinyVit(pixels, config.encoder), config).at(-1), 'an embedding'),
  )
}

/** MobileSAM, which can be asked for what SAM can. */
export function mobileSam(
  config: MobileSamConfig,
  { promptsPerPicture }: BuildOptions = {},
): ModelDefinition {
  const embedding = mobileSamEncoder(mobileSamPixels(config), config)
  const [prompts, decoder] = [samPrompts(config), samDecoder(config)]
  return {
    programs: maskPrograms(embedding, prompts, decoder, { promptsPerPicture }),
    portable: portablePrograms(embedding, prompts, decoder),
    history: [],
    sizes: [],
  }
}
