import { automaticMasks } from './automatic-masks.js'
import { cocoAp, lvisAp } from './average-precision.js'
import { chosenRows } from './chosen-rows.js'
import { efficientSamCase } from './efficient-sam.js'
import type { OwnCase } from './findings.js'
import { losses } from './losses.js'
import { relativePositions } from './relative-positions.js'
import { resizing } from './resizing.js'
import { routedSamCase } from './routed-sam.js'
import { runLengths } from './run-lengths.js'
import { encoderCase, endToEndCase, maskDecoderCase, promptEncoderCase } from './sam.js'
import { siglipCase } from './siglip.js'

/** Cases of folders without a method, each with a comparison of its own. Adding one is its file and a line here. */
export const ownCases: Readonly<Record<string, OwnCase>> = {
  coco_rle: runLengths,
  coco_ap_case: cocoAp,
  lvis_ap_case: lvisAp,
  losses,
  resize: resizing,
  sam_amg_small: automaticMasks,
  sam_encoder_small: encoderCase,
  bl_sam_own_reference: routedSamCase,
  sam_semi_cross_rows: chosenRows,
  sam_relpos: relativePositions,
  sam_prompt_encoder_small: promptEncoderCase,
  sam_mask_decoder_small: maskDecoderCase,
  sam_end_to_end_small: endToEndCase,
  efficient_sam_small: efficientSamCase,
  siglip_small: siglipCase,
}
