import type { NameMap } from './name-rules.js'

/** timm's names are the canonical ones: nothing to rename. Anything unknown counts as timm and is left to `fitParameters`. */
export const timm: NameMap = {
  dialect: 'timm',
  detect: () => true,
  rules: [],
  prefix: '',
  bare: [],
  ignored: /^$/,
}
