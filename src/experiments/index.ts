import type { Experiment } from './experiment.js'
import { methods } from './methods.js'
import { table2 } from './table2.js'
import { table3 } from './table3.js'
import { table4 } from './table4.js'
import { table5 } from './table5.js'

/** Every table of trained models under the name that users type. Adding one is its file and a line here. */
export const experiments: Readonly<Record<string, Experiment>> = {
  methods,
  table2,
  table3,
  table4,
  table5,
}
