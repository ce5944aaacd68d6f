import type { Experiment } from './experiment.js'
import { methods } from './methods.js'

/** Every table of trained models under the name that users type. Adding one is its file and a line here. */
export const experiments: Readonly<Record<string, Experiment>> = {
  methods,
}
