import { z } from 'zod'
import { parseWith } from '../base/parse.js'
import { cropModes } from './crop-window.js'
import { filterNames } from './filters.js'
import type { Preprocessing } from './preprocessing.js'
import { cropRatio, perChannel, perChannelDivisor, side } from './preprocessing-schemas.js'

// Missing keys mean what timm's resolve_data_config makes of them: ImageNet's mean and deviation, for one.
const pretrainedCfg = z.object({
  input_size: z.tuple([z.int().positive(), side, side]).default([3, 224, 224]),
  crop_pct: cropRatio.default(0.875),
  crop_mode: z.enum(cropModes).nullish(),
  interpolation: z.enum(filterNames).default('bicubic'),
  mean: perChannel.default([0.485, 0.456, 0.406]),
  std: perChannelDivisor.default([0.229, 0.224, 0.225]),
})

/**
 * Reads the `pretrained_cfg` of a timm `config.json`.
 * @throws BlvitError `BAD_CONFIG`, naming the key and what is accepted
 */
export function readTimmPreprocessing(json: unknown): Preprocessing {
  const config = parseWith(pretrainedCfg, json, 'pretrained_cfg in config.json')
  const [, height, width] = config.input_size
  return {
    height,
    width,
    cropRatio: config.crop_pct,
    cropMode: config.crop_mode ?? 'center',
    filter: config.interpolation,
    mean: config.mean,
    std: config.std,
  }
}
