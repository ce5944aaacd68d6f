import { huggingfaceDeit, huggingfaceVit } from './huggingface.js'
import type { NameMap } from './name-rules.js'
import { timm } from './timm.js'

/** Every dialect, one a line. The first that detects its names wins; timm takes what is left. */
export const nameMaps: readonly NameMap[] = [
  huggingfaceVit, //
  huggingfaceDeit,
  timm,
]
